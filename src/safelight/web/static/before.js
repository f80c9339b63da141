/* Before and after: the picture a job started from over the one it made, as far as a slider says. */

import { $, el, setVar } from './dom.js';
import { ownPath } from './format.js';

const SAME_SHAPE = 0.02; // sides may differ by so much: models make multiples of 8 or 16 pixels

/** Over the first picture, when the job made one of the same shape out of one. */
export function paintBefore(tray, job) {
  const input = pairOf(job);
  const slider = $('.before-after', tray);
  if (!input) return slider?.remove();
  const key = input.upload ?? input.asset; // not its URL: signatures change with the hour
  if (slider?.dataset.key === key || tray.dataset.nothingBefore === key) return undefined;
  slider?.remove();
  const print = tray.firstElementChild;
  $('.before', print)?.remove();
  const before = el('img', 'before');
  before.alt = '';
  const range = el('input');
  Object.assign(range, { type: 'range', min: 0, max: 100, value: 50 });
  range.setAttribute('aria-label', 'How much of the picture before is shown, in percent');
  const control = el('label', 'before-after');
  control.dataset.key = key;
  control.append(el('span', '', `Before, ${input.width} × ${input.height}`), range, el('span', '', 'After'));
  const paint = () => setVar(print, '--before', `${range.value}%`);
  range.addEventListener('input', paint);
  before.addEventListener('error', () => { // it was deleted since
    tray.dataset.nothingBefore = key;
    before.remove();
    control.remove();
  });
  before.src = ownPath(input.url);
  paint();
  print.append(before);
  print.after(control);
  return undefined;
}

function pairOf(job) {
  const [asset] = job.assets ?? [];
  const pictures = (job.inputs ?? []).filter(({ role }) => role === 'image');
  if (pictures.length !== 1 || !asset?.mime.startsWith('image/')) return null;
  const [input] = pictures;
  const shape = (input.width / input.height) / (asset.width / asset.height);
  return Math.abs(shape - 1) < SAME_SHAPE ? input : null;
}
