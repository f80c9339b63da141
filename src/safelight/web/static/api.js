/* The server's HTTP API: one function per call. Errors are values of two classes, nothing is retried here. */

/** The server answered with an error; the body is its problem+json. */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `The server answered ${status}.`);
    this.status = status;
    this.title = body.title;
    this.remedy = body.remedy ?? '';
    this.errors = body.errors ?? {};
    this.requestId = body.request_id;
  }
}

/** No answer at all: the server is down, or the network is. */
export class Unreachable extends Error {
  constructor() {
    super('The server cannot be reached.');
    this.remedy = 'Check that it is running, then try again: the same request is never made twice.';
    this.errors = {};
  }
}

async function call(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Unreachable();
  }
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Problem(answer.status, body);
  return body;
}

const jobPath = (id) => `/api/jobs/${encodeURIComponent(id)}`;

export const listModels = async () => (await call('/api/models')).models;
export const getJob = (id) => call(jobPath(id));
export const cancelJob = (id) => call(`${jobPath(id)}/cancel`, { method: 'POST' });
export const eventsUrl = (id, fromStart) => `${jobPath(id)}/events${fromStart ? '?after=0' : ''}`;

export function listJobs({ limit = 50, cursor } = {}) {
  const query = new URLSearchParams({ limit });
  if (cursor) query.set('cursor', cursor);
  return call(`/api/jobs?${query}`);
}

export function submitJob(request, idempotencyKey) {
  return call('/api/jobs', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': idempotencyKey },
    body: JSON.stringify(request),
  });
}

/** A random key. `crypto.randomUUID` is missing on plain http other than localhost; `getRandomValues` is not. */
export function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
