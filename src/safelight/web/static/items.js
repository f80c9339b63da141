/* What a batch is made of: its items as frames, or, where several models got the same prompts, side by side in a table. */

import { jobAddress } from './address.js';
import { listItems } from './api.js';
import { $, changed, el, setText, setVar, showProblem } from './dom.js';
import { stateWord, titleOf } from './format.js';
import * as jobs from './jobs.js';
import { makePrint, paintPrint } from './print.js';
import { signedOut } from './signin.js';

const AGAIN_MS = 2000;
const MOST = 1000;

const read = new Map(); // batch → the ids of its items, in its order
let shown = null; // { id, section, frames, timer, asking, stale }: of the batch whose page is open

/** Show the items of a batch below it, and keep them fresh until all have ended. Every other job has none. */
export function paintItems(page, job) {
  const section = $('[data-items]', page);
  section.hidden = !job.items;
  if (!job.items) return;
  if (shown?.id !== job.id || shown.section !== section) {
    clearTimeout(shown?.timer);
    shown = { id: job.id, section, frames: new Map() };
  }
  if (changed(section, [job.status, job.items.by_status])) refresh(shown);
}

/** The ids of a batch's items, in its order, as far as they were read. */
export const itemsOf = (batch) => read.get(batch) ?? [];

/** One request at a time: once for every change of the batch, and every two seconds while any of it is unfinished. */
async function refresh(mine) {
  clearTimeout(mine.timer);
  mine.stale = mine.asking;
  if (mine.asking || !isOpen(mine)) return;
  mine.asking = true;
  try {
    const items = await allItems(mine.id);
    if (isOpen(mine)) {
      paint(mine, items);
      showProblem($('.problem', mine.section), null);
    }
  } catch (error) {
    if (isOpen(mine)) showProblem($('.problem', mine.section), error);
  }
  mine.asking = false;
  const batch = jobs.get(mine.id); // as it is now
  if (mine.stale) refresh(mine);
  else if (batch && jobs.isLive(batch)) mine.timer = setTimeout(() => refresh(mine), AGAIN_MS);
}

/** Its page is shown, to somebody. Who signs in again opens it anew. */
const isOpen = (mine) => mine === shown && mine.section.isConnected && !signedOut();

/** All of a batch, each known from then on. */
export async function allItems(id) {
  const items = [];
  for (let cursor; items.length < MOST;) {
    const page = await listItems(id, cursor);
    items.push(...page.jobs);
    cursor = page.nextCursor;
    if (!cursor) break;
  }
  items.forEach(jobs.takeListed);
  read.set(id, items.map((item) => item.id));
  return items;
}

function paint(mine, items) {
  const models = [...new Set(items.map((item) => item.model))];
  const rows = [...new Set(items.map(titleOf))];
  const box = $('.across', mine.section);
  if (changed(box, [models, rows, items.map(({ id }) => id)])) {
    box.replaceChildren(models.length > 1 ? table(mine, models, rows, items) : list(mine, items));
    box.setAttribute('aria-label', models.length > 1 ? 'Models side by side' : 'Items');
  }
  for (const item of items) paintFrame(mine.frames.get(item.id), item);
}

function list(mine, items) {
  const all = el('ol', 'sheet');
  for (const item of items) {
    const place = el('li', 'frame');
    place.append(frame(mine, item, true));
    all.append(place);
  }
  return all;
}

function table(mine, models, rows, items) {
  const all = el('table', 'versus');
  const columns = el('colgroup');
  setVar(all, '--models', models.length);
  columns.append(...['', ...models].map(() => el('col')));
  all.append(columns);
  const head = all.createTHead().insertRow();
  head.append(el('td'), ...models.map((model) => scoped(el('th', '', model), 'col')));
  const body = all.createTBody();
  for (const title of rows) {
    const row = body.insertRow();
    row.append(scoped(el('th', '', title), 'row'));
    for (const model of models) {
      row.insertCell().append(...items.filter((item) => item.model === model && titleOf(item) === title).map((item) => frame(mine, item, false)));
    }
  }
  return all;
}

function scoped(cell, scope) {
  cell.scope = scope;
  return cell;
}

function frame(mine, item, titled) {
  const link = el('a', 'open');
  link.href = jobAddress(item.id);
  link.dataset.route = '';
  const words = el('span', item.kind === 'text' ? 'excerpt' : 'unseen');
  link.append(el('span', 'rebate state'), item.kind === 'text' ? words : makePrint(), el('span', titled ? 'caption' : 'unseen', titleOf(item)));
  mine.frames.set(item.id, link);
  return link;
}

function paintFrame(link, item) {
  setText($('.state', link), stateWord(item));
  const print = $('.print', link);
  if (print) paintPrint(print, item);
  else setText($('.excerpt', link), item.text ?? item.error?.message ?? '');
}
