/* The server's HTTP API: one function per call. Errors are values of two classes, nothing is retried here. */

import { at } from './address.js';

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

const SESSION = 'api/session';
let unauthorized = () => {};
let over = false;

/** `hear(begun)` is called whenever the server wants to know who asks before it answers; the request began at that
 * `performance.now()`. */
export const whenUnauthorized = (hear) => { unauthorized = hear; };

/** The page is about to go, and the cookie is another person's already: nothing more is asked in that name. */
export const askNoMore = () => { over = true; };

function refused(status, body, begun) {
  if (status === 401) unauthorized(begun);
  return new Problem(status, body);
}

async function call(path, options = {}) {
  if (over) return new Promise(() => {}); // no answer, and nobody to read it
  const begun = performance.now();
  let answer;
  try {
    answer = await fetch(at(path), options);
  } catch {
    throw new Unreachable();
  }
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw path === SESSION ? new Problem(answer.status, body) : refused(answer.status, body, begun);
  return body;
}

const posting = (body, headers = {}) => ({
  method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body),
});
const jobPath = (id) => `api/jobs/${encodeURIComponent(id)}`;

export const listModels = async () => (await call('api/models')).models;
export const getSession = () => call(SESSION);
export const signIn = (key) => call(SESSION, posting({ key }));
export const signOut = () => call(SESSION, { method: 'DELETE' });
export const getCredits = () => call('api/credits');
export const getJob = (id) => call(jobPath(id));
export const getWhy = (id) => call(`${jobPath(id)}/debug`);
export const retryJob = (id, idempotencyKey) => call(`${jobPath(id)}/retry`, posting({}, { 'Idempotency-Key': idempotencyKey }));
export const deleteJob = (id) => call(jobPath(id), { method: 'DELETE' });
export const cancelJob = (id) => call(`${jobPath(id)}/cancel`, { method: 'POST' });
export const listItems = (id, cursor) => call(`${jobPath(id)}/items?${new URLSearchParams({ limit: 200, ...(cursor && { cursor }) })}`);
export const eventsUrl = (id, fromStart) => at(`${jobPath(id)}/events${fromStart ? '?after=0' : ''}`);

export function listJobs({ limit = 50, cursor } = {}) {
  const query = new URLSearchParams({ limit });
  if (cursor) query.set('cursor', cursor);
  return call(`api/jobs?${query}`);
}

export const submitJob = (request, idempotencyKey) => call('api/jobs', posting(request, { 'Idempotency-Key': idempotencyKey }));

/** What a request would cost and when it would be done; nothing is made. */
export const quoteJob = (request, signal) => call('api/jobs?dry_run=true', { ...posting(request), signal });

/** Bring a picture. Not `fetch`: that does not tell how far it is. `onProgress` hears 0..1. */
export function uploadPicture(file, onProgress) {
  const begun = performance.now();
  const asked = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    asked.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 0);
    asked.onload = () => {
      const body = readJson(asked.responseText);
      if (asked.status < 300) resolve(body);
      else reject(refused(asked.status, body, begun));
    };
    asked.onerror = () => reject(new Unreachable());
    asked.open('POST', at('api/uploads'));
    const form = new FormData();
    form.append('file', file);
    asked.send(form);
  });
  return { done, abort: () => asked.abort() };
}

function readJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/** A random key. `crypto.randomUUID` is missing on plain http other than localhost; `getRandomValues` is not. */
export function newKey() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
