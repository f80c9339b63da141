/* The newest known state of every job, whichever way the news came (list, stream, answer to a submit). */

import { getJob } from './api.js';

const LIVE = new Set(['pending', 'processing']);
const byId = new Map();
const gone = new Set(); // ids of what was deleted, here or elsewhere
const listeners = new Set();
let changed = new Set();

export const isLive = (job) => LIVE.has(job.status);
export const get = (id) => byId.get(id);
/** Those that have not ended. A batch stands for its items. */
export const liveJobs = () => [...byId.values()].filter((job) => isLive(job) && !job.parent_id);

/** Newest first, as the server lists them. Ids sort by time, so they settle a tie. */
export const newestFirst = (a, b) => (a.created_at === b.created_at ? (a.id < b.id ? 1 : -1) : a.created_at < b.created_at ? 1 : -1);
export const all = () => [...byId.values()].sort(newestFirst);

/** `listener(ids)` hears once per burst which jobs changed. */
export function onChange(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function put(job) {
  byId.set(job.id, job);
  tellSoon(job.id);
}

function tellSoon(id) {
  if (!changed.size) queueMicrotask(tell);
  changed.add(id);
}

function tell() {
  const ids = changed;
  changed = new Set();
  for (const listener of [...listeners]) listener(ids);
}

/** It was deleted: late news of it is no news. */
export function forget(id) {
  gone.add(id);
  if (byId.delete(id)) tellSoon(id);
}

/** Take a job body. News older than what is known (a slow list answer behind a fast stream) is dropped. */
export function take(body) {
  if (gone.has(body.id)) return;
  const known = byId.get(body.id);
  if (known && body.sequence < known.sequence) return;
  const preview = body.status === 'processing' ? known?.preview : undefined; // bodies do not mention previews
  put({ ...body, preview });
}

/** Take a body of a list: those do not say where a job stands in line, nor for what it waits; what is known of that stays. */
export function takeListed(body) {
  const { position, eta_s, waiting_for } = byId.get(body.id)?.queue_info ?? {};
  take(body.queue_info && position !== undefined ? { ...body, queue_info: { ...body.queue_info, position, eta_s, waiting_for } } : body);
}

/** Ask the server how a job stands. One that is not there any more is forgotten; every other refusal is the caller's. */
export async function ask(id) {
  try {
    take(await getJob(id));
  } catch (error) {
    if (error.status !== 404) throw error;
    forget(id);
  }
}

/** Take one event of a stream. Snapshots and endings carry the whole body; the rest changes what is known. */
export function takeEvent({ type, job_id: id, sequence, at, payload }) {
  if (payload.id === id) {
    take(payload);
    return;
  }
  const known = byId.get(id);
  if (!known || !isLive(known)) return;
  if (type === 'job.preview') { // may be told after newer progress, and is still the newest picture
    if (known.status === 'processing' && sequence >= (known.preview?.sequence ?? 0)) {
      put({ ...known, preview: { sequence, url: payload.preview_url } });
    }
  } else if (sequence >= known.sequence) put({ ...known, sequence, ...consequence(type, payload, known, at) });
}

function consequence(type, payload, known, at) {
  switch (type) {
    case 'job.started':
      return { status: 'processing', stage: 'starting', attempt: payload.attempt, started_at: known.started_at ?? at };
    case 'job.progress':
      return { status: payload.status ?? known.status, stage: payload.stage, progress: payload.progress };
    case 'job.output': // offsets count characters, as the server does, not UTF-16 units
      return { text: [...(known.text ?? '')].slice(0, payload.offset).join('') + payload.text };
    case 'job.retrying':
    case 'job.requeued':
      return { status: 'pending', stage: 'queued', progress: 0, preview: undefined, queue_info: { due_at: payload.due_at, since: payload.due_at ?? at } };
    case 'job.cancel_requested':
      return { cancel_requested: true };
    default:
      return {}; // an event of a newer server: the next list answer tells what it meant
  }
}
