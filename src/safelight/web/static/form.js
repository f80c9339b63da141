/* The form: what to make, by which model, how large, from which seed. The server judges; its words land by the field. */

import { Unreachable, listModels, newKey, submitJob } from './api.js';
import { $, announce, el, setText, showProblem } from './dom.js';
import { credits } from './format.js';
import * as jobs from './jobs.js';

const form = $('#form');
const fields = { prompt: $('#prompt'), model: $('#model'), width: $('#width'), height: $('#height'), seed: $('#seed') };

let models = [];
let sizes = []; // [{ name, width, height }] and Custom without numbers, or [{ name, ratio }]
let wanted = null; // a job to use again, kept until the models are known
let unanswered = null; // { body, key } of a submit of which nobody knows whether it was done

export function setupForm() {
  loadModels();
  form.addEventListener('submit', submit);
  fields.model.addEventListener('change', () => showModel());
  $('#sizes').addEventListener('change', showCustom);
  $('#dice').addEventListener('click', drawSeed);
  form.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
}

/** Put a job's prompt, model, size and seed into the form. */
export function fillForm(job) {
  clearErrors();
  fields.prompt.value = job.prompt ?? '';
  fields.seed.value = job.params?.seed ?? '';
  wanted = job;
  if (models.length) showModel();
  fields.prompt.focus();
}

async function loadModels() {
  try {
    models = (await listModels()).filter((model) => model.kind === 'image');
  } catch (error) {
    if (!(error instanceof Unreachable)) showProblem($('#problem'), error);
    setTimeout(loadModels, 3000);
    return;
  }
  fields.model.replaceChildren(...models.map((model) => {
    const option = el('option', '', model.available ? model.title : `${model.title} (${model.unavailable_reason})`);
    option.value = model.id;
    option.disabled = !model.available;
    return option;
  }));
  fields.model.value = (models.find((model) => model.default) ?? models.find((model) => model.available))?.id ?? '';
  showModel();
}

const chosenModel = () => models.find((model) => model.id === fields.model.value);

/** What the chosen model is and offers; a job to use again brings its own model and size. */
function showModel() {
  if (models.some((model) => model.id === wanted?.model && model.available)) fields.model.value = wanted.model;
  const model = chosenModel();
  const ends = model?.shutdown_date ? `Its provider ends it on ${model.shutdown_date}.` : '';
  setText($('#model-note'), model ? [model.description, model.price?.note, ends].filter(Boolean).join(' ') : 'No image model can run here.');
  setText($('#price'), model ? credits(model.price_credits) : '');
  const offered = parameters();
  $('.seed', form).hidden = !offered.seed;
  showSizes(offered, wanted?.params ?? sizeParams());
  wanted = null;
}

const parameters = () => chosenModel()?.parameters?.properties ?? {};

const SHAPES = [['Square', 1, 1], ['Landscape', 3, 2], ['Portrait', 2, 3], ['Wide', 16, 9], ['Tall', 9, 16]];

/** What the model takes: sizes in pixels where it has one by default, else shapes by their names. */
function showSizes(offered, before) {
  const { width, height, aspect_ratio: shape } = offered;
  const inPixels = width?.default && height?.default;
  sizes = inPixels ? inPixelsOf(width, height) : ratiosOf(shape);
  $('.size', form).hidden = !sizes.length;
  if (!sizes.length) return;
  let chosen = sizes.findIndex((size) => (inPixels ? size.width && size.width === before.width && size.height === before.height : size.ratio === before.aspect_ratio));
  if (chosen < 0 && inPixels) chosen = before.width || before.height ? sizes.length - 1 : 0;
  if (chosen < 0) chosen = Math.max(0, sizes.findIndex((size) => size.ratio === shape.default));
  if (inPixels) [fields.width.value, fields.height.value] = [before.width ?? width.default, before.height ?? height.default];
  $('#sizes').replaceChildren(...sizes.map((size, n) => choice(size, n, n === chosen)));
  showCustom();
}

/** Shapes of about the model's default area, within the limits of its schema. */
function inPixelsOf(width, height) {
  const area = width.default * height.default;
  const fit = (value, { minimum, maximum, multipleOf = 64 }) => Math.min(maximum, Math.max(minimum, Math.round(value / multipleOf) * multipleOf));
  return SHAPES.map(([name, w, h]) => ({
    name, across: w / h, width: fit(Math.sqrt((area * w) / h), width), height: fit(Math.sqrt((area * h) / w), height),
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

const chosenSize = () => sizes[Number(new FormData(form).get('size'))];

/** The custom fields start from the last chosen shape. */
function showCustom() {
  const size = chosenSize();
  $('#custom').hidden = Boolean(size.across);
  if (size.width) [fields.width.value, fields.height.value] = [size.width, size.height];
}

/** Numbers where they are numbers; anything else goes to the server as written, which says what is wrong with it. */
function numbers(...names) {
  const filled = names.map((name) => [name, fields[name].value.trim()]).filter(([, text]) => text);
  return Object.fromEntries(filled.map(([name, text]) => [name, /^-?\d{1,15}$/.test(text) ? Number(text) : text]));
}

function sizeParams() {
  if (!sizes.length) return {};
  return chosenSize()?.ratio ? { aspect_ratio: chosenSize().ratio } : numbers('width', 'height');
}

function drawSeed() {
  const most = parameters().seed?.maximum ?? 2 ** 31 - 1;
  fields.seed.value = crypto.getRandomValues(new Uint32Array(1))[0] % (most + 1);
}

async function submit(event) {
  event.preventDefault();
  if (form.getAttribute('aria-busy') === 'true') return;
  clearErrors();
  form.setAttribute('aria-busy', 'true');
  const request = {
    kind: 'image',
    model: fields.model.value || undefined,
    prompt: fields.prompt.value,
    params: { ...sizeParams(), ...(parameters().seed ? numbers('seed') : {}) },
  };
  const body = JSON.stringify(request);
  // The same request after a lost answer, or a failed server, keeps its key: it cannot be made, or paid, twice.
  const key = unanswered?.body === body ? unanswered.key : newKey();
  try {
    const job = await submitJob(request, key);
    unanswered = null;
    jobs.take(job);
    announce('Submitted.');
  } catch (error) {
    unanswered = error instanceof Unreachable || error.status >= 500 ? { body, key } : null;
    showErrors(error);
  }
  form.removeAttribute('aria-busy');
}

/** Each message by its field, named by the last part of its path; what has no field here stands above the form. */
function showErrors(error) {
  const homeless = [];
  const placed = [];
  for (const [path, texts] of Object.entries(error.errors)) {
    const name = path.split('.').at(-1);
    const field = fields[name];
    if (field) placed.push(field);
    else homeless.push(`${path} ${texts.join(', ')}.`);
    if (!field) continue;
    const inSize = field === fields.width || field === fields.height;
    const box = $(`#${inSize ? 'size' : name}-error`);
    box.textContent += `${box.textContent && ' '}${name[0].toUpperCase()}${name.slice(1)} ${texts.join(', ')}.`;
    field.setAttribute('aria-invalid', 'true');
    if (inSize) $('#custom').hidden = false;
  }
  if (homeless.length) error.message = homeless.join(' ');
  if (homeless.length || !placed.length) showProblem($('#problem'), error);
  else announce([...form.querySelectorAll('.field-error')].map((box) => box.textContent).join(' '));
  placed[0]?.focus();
}

function clearErrors() {
  showProblem($('#problem'), null);
  for (const box of form.querySelectorAll('.field-error')) box.textContent = '';
  for (const field of Object.values(fields)) field.removeAttribute('aria-invalid');
}
