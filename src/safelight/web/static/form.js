/* The form: what to make, by which models, from what. The server judges; its words land by the field. */

import { Unreachable, listModels, newKey, submitJob } from './api.js';
import { $, announce, el, setText, showProblem } from './dom.js';
import * as draft from './draft.js';
import { chosenParams, controlOf, offerFields, offerKept, setupFields, startFrom } from './fields.js';
import { chosenInputs, offerInputs, setupInputs, startFromInputs, stillComing } from './inputs.js';
import { allItems } from './items.js';
import * as jobs from './jobs.js';
import { chosenModels, kindOf, modelById, offerKind, setModels, setupPicker } from './picker.js';
import { quoteSoon, refreshBalance } from './quote.js';
import { setupSizes } from './sizes.js';

const form = $('#form');
const prompt = $('#prompt');
const many = $('#many');

const NOBODY = { message: 'Nothing was submitted: your session had ended.', remedy: 'Press Generate again.', errors: {} };
const PLACEHOLDERS = { image: 'Describe a picture', video: 'Describe a film', text: 'What should be written?' };

let wanted = null; // a job to use again, kept until the models are known
let unanswered = null; // { asked, key } of a submit of which nobody knows whether it was done; a reload loses none
let touched = false; // whether the person has changed anything since

export function setupForm() {
  setupSizes();
  setupFields();
  setupInputs(changed);
  setupPicker(showModel);
  const before = draft.read();
  if (before) wanted = before;
  unanswered = before?.unanswered ?? null;
  touched = true; // for all that this page knows
  prompt.value = before?.prompt ?? '';
  many.checked = before?.many ?? false;
  form.addEventListener('submit', submit);
  for (const kind of ['input', 'change', 'click']) form.addEventListener(kind, changedByHand); // a click: the dice
  form.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  loadModels();
}

/** A job as the form would ask for it. Of a batch its items are read, which the server may refuse. */
export const wish = async (job) => (job.items ? asOne(await allItems(job.id)) : { ...job, models: [job.model] });

/** Put a wish's kind, prompt, models, settings and pictures into the form. */
export function fillForm(asked) {
  clearErrors();
  touched = true;
  wanted = asked;
  prompt.value = wanted.prompt ?? '';
  many.checked = Boolean(wanted.many);
  showWanted();
  prompt.focus();
}

/** A batch: its prompts, a line each, and its models. */
function asOne(items) {
  const prompts = [...new Set(items.map((item) => item.prompt).filter(Boolean))];
  const first = items[0] ?? { kind: 'image', params: {}, inputs: [] };
  const { seed, ...params } = first.params;
  return { ...first, params, prompt: prompts.join('\n'), many: prompts.length > 1, models: [...new Set(items.map((item) => item.model))] };
}

/** Also called after signing in. */
export async function loadModels() {
  try {
    setModels(await listModels());
  } catch (error) {
    if (error.status === 401) return; // signing in asks again
    if (!(error instanceof Unreachable)) showProblem($('#problem'), error);
    setTimeout(loadModels, 3000);
    return;
  }
  if (wanted) showWanted();
  else offerKind(kindOf());
  refreshBalance();
}

function showWanted() {
  const job = wanted;
  startFrom(job.params ?? {});
  startFromInputs(job.inputs ?? []);
  const known = modelById(job.model);
  if (!known && !modelById(job.models?.[0]) && !PLACEHOLDERS[job.kind] && job.kind !== 'upscale') return;
  offerKind(job.kind, job.models ?? [job.model]);
  wanted = null;
}

/** What the chosen models are and offer. */
function showModel(models, kind) {
  const [model] = models;
  const ends = model?.shutdown_date ? `Its provider ends it on ${model.shutdown_date}.` : '';
  setText($('#model-note'), model ? [model.description, model.price?.note, ends].filter(Boolean).join(' ') : `No model for this can run here: see why at the models, or ask the operator.`);
  const writes = kind !== 'upscale';
  $('.prompt', form).hidden = !writes;
  $('.many', form).hidden = !writes;
  prompt.placeholder = many.checked ? 'One prompt per line' : PLACEHOLDERS[kind] ?? '';
  (wanted ? offerKept : offerFields)(common(models));
  offerInputs(model?.inputs);
  changed();
}

/** The parameters of the first model which all the others take, too. */
function common([first, ...others]) {
  const all = Object.entries(first?.parameters?.properties ?? {});
  return Object.fromEntries(all.filter(([name]) => others.every((model) => name in model.parameters.properties)));
}

function changedByHand({ target }) {
  if (!target.closest('#generate')) touched = true;
  changed();
}

function changed() {
  if (many.checked !== (prompt.placeholder === 'One prompt per line')) prompt.placeholder = many.checked ? 'One prompt per line' : PLACEHOLDERS[kindOf()] ?? '';
  const asked = request();
  setText($('#generate'), asked.kind === 'batch' ? `Generate ${asked.count}` : 'Generate');
  keep(asked.params);
  if (!chosenModels().length) return;
  const { count, ...body } = request('…');
  quoteSoon(body, chosenModels()[0].price?.brief ?? '');
}

function keep(params = chosenParams()) {
  draft.keep({ kind: kindOf(), model: chosenModels()[0]?.id, models: chosenModels().map(({ id }) => id), prompt: prompt.value, many: many.checked, params, unanswered });
}

/** Before the request leaves, and when its answer has come. */
function owe(request) {
  unanswered = request;
  keep();
}

/** What is asked for: one job; or a batch, when there are several prompts or models. `empty` stands for no prompt. */
function request(empty = '') {
  const kind = kindOf();
  const models = chosenModels().map(({ id }) => id);
  const written = prompt.value.trim() || empty;
  const prompts = kind === 'upscale' ? [] : many.checked ? written.split('\n').map((line) => line.trim()).filter(Boolean) : [written];
  const shared = { params: chosenParams(), ...(chosenInputs().length && { inputs: chosenInputs() }) };
  if (models.length < 2 && prompts.length < 2) {
    return { kind, model: models[0], ...(kind !== 'upscale' && { prompt: prompts[0] ?? '' }), ...shared };
  }
  const count = Math.max(1, prompts.length) * Math.max(1, models.length);
  if (!prompts.length) return { kind: 'batch', items: models.map((model) => ({ kind, model })), ...shared, count };
  return { kind: 'batch', prompts, models, ...shared, count };
}

async function submit(event) {
  event.preventDefault();
  if (form.getAttribute('aria-busy') === 'true') return;
  clearErrors();
  if (stillComing()) return showProblem($('#problem'), { message: 'A picture is still on its way to the server.', remedy: 'Press again when it is there, or remove it.' });
  form.setAttribute('aria-busy', 'true');
  const { asked, key } = wantedAgain() ?? { asked: written(), key: newKey() };
  touched = false;
  owe({ asked, key });
  try {
    const job = await submitJob(asked, key);
    owe(null);
    jobs.take(job);
    announce('Submitted.');
    refreshBalance();
  } catch (error) {
    if (!(error instanceof Unreachable || error.status >= 500)) owe(null);
    showErrors(error.status === 401 ? NOBODY : error);
  }
  form.removeAttribute('aria-busy');
  return undefined;
}

/** The request whose answer was lost, under its key: pressed again it cannot be made, or paid, twice. What the page itself
 * has changed since, as when the models came, is no other wish. */
function wantedAgain() {
  const same = unanswered && (!touched || JSON.stringify(unanswered.asked) === JSON.stringify(written()));
  return same ? unanswered : null;
}

function written() {
  const { count, ...asked } = request();
  return asked;
}

/** Each message by its field, named by the last part of its path; what has no field here stands above the form. */
function showErrors(error) {
  const homeless = [];
  const placed = [];
  for (const [path, texts] of Object.entries(error.errors)) {
    const [field, box, words] = placeOf(path);
    if (!box) {
      homeless.push(`${path} ${texts.join(', ')}.`);
      continue;
    }
    placed.push(field);
    const line = `${words} ${texts.join(', ')}.`;
    if (!box.textContent.includes(line)) box.textContent += `${box.textContent && ' '}${line}`;
    field.setAttribute('aria-invalid', 'true');
    if (box.id === 'size-error') $('#custom').hidden = false;
    if (box.closest('#more')) $('#more').open = true;
  }
  if (homeless.length) error.message = homeless.join(' ');
  if (homeless.length || !placed.length) showProblem($('#problem'), error);
  else announce([...form.querySelectorAll('.field-error')].map((each) => each.textContent).join(' '));
  placed[0]?.focus();
}

/** The control of a path like `items[3].params.width`, the box for its message, and its name in words. */
function placeOf(path) {
  if (/(^|\.)inputs\b/.test(path)) return [$('#inputs input') ?? $('#inputs button'), $('#inputs:not([hidden])') && $('#inputs-error'), 'The picture'];
  const name = path.split('.').at(-1).replace(/\[\d+\]$/, '').replace(/^(prompt|model)s$/, '$1');
  const field = name === 'prompt' ? $('.prompt:not([hidden]) #prompt') : controlOf(name);
  const box = field && (document.getElementById(`${field.id}-error`) ?? $('.field-error', field.closest('.field')));
  return [field, box, name[0].toUpperCase() + name.slice(1).replaceAll('_', ' ')];
}

function clearErrors() {
  showProblem($('#problem'), null);
  for (const box of form.querySelectorAll('.field-error')) box.textContent = '';
  for (const field of form.querySelectorAll('[aria-invalid]')) field.removeAttribute('aria-invalid');
}
