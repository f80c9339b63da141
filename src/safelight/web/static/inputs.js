/* Pictures to start from: chosen, dropped or pasted; brought to the server at once, so that a submit only names them. */

import { uploadPicture } from './api.js';
import { $, announce, el, icon, setText } from './dom.js';
import { ownPath } from './format.js';

const box = $('#inputs');
const WORDS = {
  image: 'Picture to start from',
  mask: 'Mask: what is clear in it is made anew',
  first_frame: 'First frame',
  last_frame: 'Last frame',
};

let offered = {}; // role → { need, most }
let pictures = []; // { role, source: upload | asset, id, url, name, progress, error, abort }
let tell = () => {};

/** `onChange()` hears whenever what would be submitted has changed. */
export function setupInputs(onChange) {
  tell = onChange;
  const easel = $('#form');
  document.addEventListener('paste', ({ clipboardData }) => bring(freeRole(), clipboardData?.files ?? []));
  easel.addEventListener('dragover', (event) => {
    if (!freeRole() || !event.dataTransfer.types.includes('Files')) return;
    event.preventDefault();
    easel.dataset.drop = 'yes';
  });
  easel.addEventListener('dragleave', () => delete easel.dataset.drop);
  easel.addEventListener('drop', (event) => {
    delete easel.dataset.drop;
    const role = event.target.closest('[data-role]')?.dataset.role ?? freeRole();
    if (!role) return;
    event.preventDefault();
    bring(role, event.dataTransfer.files);
  });
}

/** Offer what a model takes. Pictures that it does not take wait for one that does. */
export function offerInputs(inputs) {
  offered = inputs ?? {};
  box.hidden = !Object.keys(offered).length;
  paint();
}

/** Start from these, as a job names them. */
export function startFromInputs(inputs) {
  pictures.forEach(letGo);
  pictures = inputs.map(({ role, upload, asset, url, width, height }) => ({
    role, source: upload ? 'upload' : 'asset', id: upload ?? asset, url: url && ownPath(url), name: `${width} × ${height}`,
  }));
  paint();
}

export const chosenInputs = () => shown().filter(({ id }) => id).map(({ role, source, id }) => ({ role, [source]: id }));

/** Whether one is still on its way to the server. */
export const stillComing = () => shown().some(({ id, error }) => !id && !error);

const shown = () => pictures.filter(({ role }) => role in offered);
const roomFor = (role) => (offered[role]?.most ?? 0) - pictures.filter((picture) => picture.role === role).length;
const freeRole = () => Object.keys(offered).find((role) => roomFor(role) > 0);

function bring(role, files) {
  const images = [...files].filter((file) => file.type.startsWith('image/'));
  if (!role || !images.length) return;
  const room = Math.max(roomFor(role), 0);
  for (const file of images.slice(0, room)) begin(role, file);
  const left = images.length - room;
  setText($('#inputs-error'), left > 0 ? `There is room for ${room ? `${room} more` : 'no more'}: ${left === 1 ? 'one picture was' : `${left} pictures were`} left out.` : '');
}

async function begin(role, file) {
  const picture = { role, source: 'upload', name: file.name || 'Pasted picture', url: URL.createObjectURL(file), progress: 0 };
  const { done, abort } = uploadPicture(file, (share) => {
    picture.progress = share;
    paintProgress(picture);
  });
  Object.assign(picture, { abort });
  pictures.push(picture);
  paint();
  try {
    const { id, width, height } = await done;
    Object.assign(picture, { id, name: `${picture.name}, ${width} × ${height}`, abort: null });
    announce(`${picture.name} is there.`);
  } catch (error) {
    picture.error = [error.message, error.remedy].filter(Boolean).join(' ');
  }
  paint();
  tell();
}

function remove(picture) {
  letGo(picture);
  pictures = pictures.filter((other) => other !== picture);
  paint();
  $(`[data-role="${picture.role}"] input`, box)?.focus();
  tell();
}

/** Else it would go on to the server, and its bytes stay in the browser as long as the page. */
function letGo(picture) {
  picture.abort?.();
  if (picture.url?.startsWith('blob:')) URL.revokeObjectURL(picture.url);
}

function paint() {
  box.replaceChildren(...Object.entries(offered).map(([role, { need, most }]) => group(role, need, most)));
}

function group(role, need, most) {
  const set = el('fieldset', 'field role');
  set.dataset.role = role;
  const note = need === 'required' ? '' : most > 1 ? ` (up to ${most}, if you like)` : ' (if you like)';
  set.append(el('legend', '', `${WORDS[role] ?? role}${note}`));
  const list = el('ul', 'pictures');
  list.append(...pictures.filter((picture) => picture.role === role).map(card));
  if (list.children.length) set.append(list);
  if (roomFor(role) > 0) set.append(chooser(role, most));
  return set;
}

function chooser(role, most) {
  const label = el('label', 'drop');
  const input = el('input', 'unseen');
  Object.assign(input, { type: 'file', accept: 'image/png,image/jpeg,image/webp', multiple: most > 1 });
  input.setAttribute('aria-describedby', 'inputs-error');
  input.addEventListener('change', () => bring(role, input.files));
  label.append(input, icon('picture'), 'Choose a picture, drop it here, or paste it');
  return label;
}

function card(picture) {
  const item = el('li', 'brought');
  picture.node = item;
  if (picture.url) {
    const img = el('img');
    Object.assign(img, { src: picture.url, alt: '' });
    item.append(img);
  }
  const words = el('span', 'words');
  words.append(el('span', 'name', picture.name));
  if (picture.error) words.append(el('span', 'field-error', picture.error));
  else if (!picture.id) words.append(bar(picture));
  const button = el('button', 'quiet square');
  button.type = 'button';
  button.setAttribute('aria-label', `Remove ${picture.name}`);
  button.append(icon('close'));
  button.addEventListener('click', () => remove(picture));
  item.append(words, button);
  return item;
}

function bar(picture) {
  const progress = el('progress');
  Object.assign(progress, { max: 1, value: picture.progress });
  progress.setAttribute('aria-label', `Bringing ${picture.name}`);
  return progress;
}

function paintProgress(picture) {
  const progress = picture.node && $('progress', picture.node);
  if (progress) progress.value = picture.progress;
}
