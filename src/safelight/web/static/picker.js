/* Which kind, and which models: those that can run here, and why the others cannot; one, or several side by side. */

import { $, el } from './dom.js';

const select = $('#model');

let models = [];
let tell;
const lastOf = new Map(); // kind → model id that was chosen for it

/** `onChange(models, kind)` hears what is chosen, the first one in the list first. */
export function setupPicker(onChange) {
  tell = () => onChange(chosenModels(), kindOf());
  $('#kinds').addEventListener('change', () => offerKind(kindOf()));
  select.addEventListener('change', () => {
    lastOf.set(kindOf(), select.value);
    offerOthers([]);
    tell();
  });
  $('#others').addEventListener('change', tell);
}

export function setModels(found) {
  models = found;
}

export const modelById = (id) => models.find((model) => model.id === id);
export const kindOf = () => $('#kinds input:checked').value;

export function chosenModels() {
  const others = [...document.querySelectorAll('#others input:checked')].map((box) => box.value);
  return [select.value, ...others].map(modelById).filter(Boolean);
}

/** Show the models of a kind, and choose these of them if they can run. */
export function offerKind(kind, wanted = []) {
  $(`#kinds input[value="${kind}"]`).checked = true;
  const ofKind = models.filter((model) => model.kind === kind);
  const [able, unable] = [ofKind.filter((model) => model.available), ofKind.filter((model) => !model.available)];
  select.replaceChildren(...able.map(option));
  if (unable.length) {
    const group = el('optgroup');
    group.label = 'Cannot run here';
    group.append(...unable.map(option));
    select.append(group);
  }
  const asked = wanted.find((id) => able.some((model) => model.id === id)) ?? lastOf.get(kind);
  select.value = able.find((model) => model.id === asked)?.id ?? (able.find((model) => model.default) ?? able[0])?.id ?? '';
  offerOthers(wanted.filter((id) => id !== select.value));
  tell();
}

function option(model) {
  const item = el('option', '', model.available ? model.title : `${model.title} (${model.unavailable_reason})`);
  item.value = model.id;
  item.disabled = !model.available;
  return item;
}

/** The other models that can run, to be compared with the chosen one. */
function offerOthers(checked) {
  const others = models.filter((model) => model.kind === kindOf() && model.available && model.id !== select.value);
  $('#compare').hidden = !others.length;
  $('#compare').open = others.some((model) => checked.includes(model.id));
  $('#others').replaceChildren(...others.map((model) => {
    const label = el('label', 'tick');
    const box = el('input');
    Object.assign(box, { type: 'checkbox', value: model.id, checked: checked.includes(model.id) });
    label.append(box, model.title);
    return label;
  }));
}
