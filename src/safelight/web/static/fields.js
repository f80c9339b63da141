/* Fields for a model's parameters, made from its JSON Schema. What was typed stays when another model takes it, too. */

import { $, el } from './dom.js';
import { SIZES, chosenSize, offerSizes } from './sizes.js';

const SEED = $('#seed');
const FIRST = ['n', 'duration_s', 'resolution', 'scale', 'quality', 'max_tokens']; // the rest waits behind "More settings"

const typed = new Map(); // name → what was typed or chosen, for whichever model takes it
let size = {}; // the last chosen one: not an exact width for a model that makes pictures larger
let schema = {};

export function setupFields() {
  $('#dice').addEventListener('click', drawSeed);
  SEED.addEventListener('input', () => typed.set('seed', SEED.value.trim()));
}

/** Forget what was typed, and start from these parameters (of a job to use again). */
export function startFrom(params) {
  typed.clear();
  size = Object.fromEntries(Object.entries(params).filter(([name]) => SIZES.includes(name)));
  for (const [name, value] of Object.entries(params)) if (!(name in size)) typed.set(name, typeof value === 'boolean' ? value : String(value));
}

/** Show the fields of a schema's properties. */
export function offerFields(properties) {
  size = { ...size, ...chosenSize() };
  offer(properties);
}

/** The same after `startFrom`: the size on the page is that of another job. */
export function offerKept(properties) {
  const hasShapes = properties.aspect_ratio || properties.width?.default;
  if (!hasShapes) for (const [name, value] of Object.entries(size)) typed.set(name, String(value));
  offer(properties);
}

function offer(properties) {
  schema = properties;
  const done = [...offerSizes(properties, size), 'seed'];
  $('.seed').hidden = !properties.seed;
  SEED.value = typed.get('seed') ?? '';
  const rest = Object.keys(properties).filter((name) => !done.includes(name));
  $('#fields').replaceChildren(...rest.filter((name) => FIRST.includes(name)).map(field));
  const more = rest.filter((name) => !FIRST.includes(name));
  $('#more-fields').replaceChildren(...more.map(field));
  $('#more').hidden = !more.length;
}

/** What differs from the model's defaults. Numbers where they are numbers; the server says what is wrong with the rest. */
export function chosenParams() {
  const size = Object.entries(chosenSize());
  const rest = Object.keys(schema).filter((name) => !(size.length && SIZES.includes(name))).map((name) => [name, typed.get(name) ?? '']);
  return Object.fromEntries([...size, ...rest].filter(([, value]) => value !== '').map(([name, value]) => [name, asTyped(schema[name], value)]));
}

function asTyped(property, value) {
  const isNumber = ['integer', 'number'].includes(property?.type) && /^-?\d{1,15}(\.\d{1,15})?$/.test(value);
  return isNumber ? Number(value) : value;
}

/** The control of a parameter, for an error to be shown at it. */
export const controlOf = (name) => document.getElementById(name in schema || name === 'seed' ? idOf(name) : name);

const idOf = (name) => (name === 'seed' || ($('.size').hidden === false && SIZES.includes(name)) ? name : `param-${name}`);

function field(name) {
  const property = schema[name];
  const id = `param-${name}`;
  const box = el('div', 'field');
  const control = controlFor(name, property);
  Object.assign(control, { id, name });
  control.setAttribute('aria-describedby', `${id}-hint ${id}-error`);
  const label = el('label', '', property.title ?? name.replaceAll('_', ' '));
  label.htmlFor = id;
  const error = el('p', 'field-error');
  error.id = `${id}-error`;
  const hint = el('p', 'unseen', hintOf(property));
  hint.id = `${id}-hint`;
  if (property.type === 'boolean') {
    box.classList.add('check');
    box.append(control, label, hint, error);
  } else box.append(label, control, hint, error);
  if (property.description) box.title = property.description;
  return box;
}

function controlFor(name, property) {
  if (property.type === 'boolean') return checkbox(name, property);
  if (property.enum) return choiceOf(name, property);
  const long = property.type === 'string' && (property.maxLength ?? 1000) > 200;
  const input = el(long ? 'textarea' : 'input', long ? 'small' : '');
  const isNumber = property.type !== 'string';
  if (isNumber) Object.assign(input, { inputMode: property.type === 'integer' ? 'numeric' : 'decimal', className: 'number' });
  if (long) input.rows = 2;
  input.autocomplete = 'off';
  input.placeholder = placeholderOf(property);
  input.value = typed.get(name) ?? '';
  input.addEventListener('input', () => typed.set(name, input.value.trim()));
  return input;
}

function checkbox(name, property) {
  const box = el('input');
  box.type = 'checkbox';
  box.checked = typed.get(name) ?? property.default ?? false;
  box.addEventListener('change', () => typed.set(name, box.checked));
  return box;
}

/** The default is the choice that sends nothing: another model has its own. */
function choiceOf(name, property) {
  const select = el('select');
  const usual = property.default;
  const options = property.enum.map((value) => new Option(value === usual ? `${value}` : String(value), value === usual ? '' : value));
  if (usual === undefined) options.unshift(new Option('Automatic', ''));
  select.replaceChildren(...options);
  const kept = typed.get(name) ?? '';
  select.value = options.some((option) => option.value === String(kept)) ? String(kept) : '';
  if (select.value !== kept) typed.delete(name); // this model does not take it
  select.addEventListener('change', () => typed.set(name, select.value));
  return select;
}

function placeholderOf(property) {
  if (property.default !== undefined && property.default !== '') return String(property.default);
  const { minimum, maximum } = property;
  return minimum !== undefined && maximum !== undefined ? `${minimum}–${maximum}` : property.type === 'string' ? '' : 'Automatic';
}

function hintOf({ description = '', minimum, maximum, default: usual }) {
  const range = minimum !== undefined && maximum !== undefined ? `From ${minimum} to ${maximum}.` : '';
  return [description, range, usual === undefined ? '' : `Usually ${usual}.`].filter(Boolean).join(' ');
}

function drawSeed() {
  const most = schema.seed?.maximum ?? 2 ** 31 - 1;
  SEED.value = crypto.getRandomValues(new Uint32Array(1))[0] % (most + 1);
  SEED.dispatchEvent(new Event('input', { bubbles: true }));
}
