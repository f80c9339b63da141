/* The size: shapes to choose from, in pixels where a model has them by default, else by their names; or two numbers. */

import { $, el } from './dom.js';

const SHAPES = [['Square', 1, 1], ['Landscape', 3, 2], ['Portrait', 2, 3], ['Wide', 16, 9], ['Tall', 9, 16]];
export const SIZES = ['width', 'height', 'aspect_ratio'];

const width = $('#width');
const height = $('#height');
let sizes = []; // [{ name, width, height }] and Custom without numbers, or [{ name, ratio }]

export function setupSizes() {
  $('#sizes').addEventListener('change', showCustom);
}

/** Offer what the parameters allow, as near to the size `before` as can be. Returns the names that it takes care of. */
export function offerSizes(offered, before) {
  const shape = offered.aspect_ratio;
  const inPixels = Boolean(offered.width?.default && offered.height?.default);
  sizes = inPixels ? inPixelsOf(offered.width, offered.height) : ratiosOf(shape);
  $('.size').hidden = !sizes.length;
  if (!sizes.length) return [];
  let chosen = sizes.findIndex((size) => (inPixels ? size.width && size.width === Number(before.width) && size.height === Number(before.height) : size.ratio === before.aspect_ratio));
  if (chosen < 0 && inPixels) chosen = before.width || before.height ? sizes.length - 1 : 0;
  if (chosen < 0) chosen = Math.max(0, sizes.findIndex((size) => size.ratio === shape.default));
  if (inPixels) [width.value, height.value] = [before.width ?? offered.width.default, before.height ?? offered.height.default];
  $('#sizes').replaceChildren(...sizes.map((size, n) => choice(size, n, n === chosen)));
  showCustom();
  return SIZES;
}

/** The chosen size as parameters. */
export function chosenSize() {
  if (!sizes.length) return {};
  const { ratio } = current();
  return ratio ? { aspect_ratio: ratio } : { width: width.value.trim(), height: height.value.trim() };
}

/** Shapes of about the model's default area, within the limits of its schema. */
function inPixelsOf(across, upright) {
  const area = across.default * upright.default;
  const fit = (value, { minimum = 64, maximum = 4096, multipleOf = 64 }) => {
    const step = multipleOf % 64 && 64 % multipleOf === 0 ? 64 : multipleOf;
    return Math.min(maximum, Math.max(minimum, Math.round(value / step) * step));
  };
  return SHAPES.map(([name, w, h]) => ({
    name, across: w / h, width: fit(Math.sqrt((area * w) / h), across), height: fit(Math.sqrt((area * h) / w), upright),
  })).concat({ name: 'Custom' });
}

function ratiosOf(shape) {
  const named = (shape?.enum ?? []).filter((ratio) => /^\d+:\d+$/.test(ratio));
  return named.map((ratio) => {
    const [w, h] = ratio.split(':').map(Number);
    return { name: ratio, ratio, across: w / h };
  });
}

function choice(size, n, checked) {
  const label = el('label', 'choice');
  const radio = el('input', 'unseen');
  Object.assign(radio, { type: 'radio', name: 'size', value: n, checked });
  label.append(radio);
  if (size.across) {
    const shape = el('span', 'shape');
    shape.style.aspectRatio = size.across;
    shape.dataset.upright = size.across < 1 ? 'yes' : 'no';
    label.append(shape);
    if (size.width) label.title = `${size.width} × ${size.height}`;
  }
  label.append(size.name);
  return label;
}

const current = () => sizes[Number($('#sizes input:checked')?.value ?? 0)];

/** The custom fields start from the last chosen shape. */
function showCustom() {
  const size = current();
  $('#custom').hidden = Boolean(size.across);
  if (size.width) [width.value, height.value] = [size.width, size.height];
}
