/* Keeps the known jobs fresh: streams for the few that matter most, one list request every two seconds for the rest.

   A browser opens about six HTTP/1.1 connections per host, for all its tabs together. Streams take at most four of
   them, counted across tabs by locks, so that pictures and requests always find a free one. */

import { Unreachable, eventsUrl, listJobs } from './api.js';
import * as jobs from './jobs.js';

const MAX_STREAMS = navigator.locks ? 4 : 2; // without locks (plain http) tabs cannot agree: take less
const BUSY_MS = 2000;
const CALM_MS = 5000; // nothing runs that we know of; jobs submitted elsewhere still show up
const ENDINGS = ['job.completed', 'job.failed', 'job.canceled', 'job.partial'];
const EVENTS = ['snapshot', 'job.submitted', 'job.started', 'job.progress', 'job.preview', 'job.output', 'job.retrying',
  'job.requeued', 'job.cancel_requested', ...ENDINGS];

const streams = new Map(); // job id → { state: opening | open | lost | refused, source, release }
const askedAt = new Map(); // job id → when a poll has asked for it alone
let listed = new Set(); // ids that a poll has brought: where a page meets one of them, nothing is missing behind it
let followed = null; // the job page's job: { id, hear, over }
let serverLost = false;
let timer;
let pollsAt = Infinity;
let tell;

/** Start. `tell.connection('live' | 'polling' | 'lost')` hears how news arrives, `tell.page(page, error)` each first page. */
export function start(listeners) {
  tell = listeners;
  document.addEventListener('visibilitychange', () => {
    // A tab that nobody looks at leaves its connections to the others.
    if (document.hidden) for (const id of [...streams.keys()]) close(id);
    else poll();
  });
  jobs.onChange(assign);
  poll();
}

/** Hear every event of one job from its first one. Returns the function that stops it. */
export function follow(id, hear) {
  close(id);
  const mine = { id, hear, over: false };
  followed = mine;
  assign();
  return () => {
    if (followed === mine) followed = null;
    close(id);
    assign();
  };
}

/** Ask at once: somebody has signed in. */
export const again = () => poll();

async function poll() {
  clearTimeout(timer);
  pollsAt = Infinity;
  pollWithin(CALM_MS * 2); // should this request hang, another one follows
  try {
    tell.page(await refresh());
    serverLost = false;
  } catch (error) {
    serverLost = error instanceof Unreachable;
    if (error.status !== 401) tell.page(null, error); // else the sign-in page says it
  }
  report();
  pollsAt = Infinity;
  for (const [id, stream] of streams) if (stream.state === 'refused') close(id);
  pollWithin(serverLost ? BUSY_MS : CALM_MS);
  assign();
}

function pollWithin(ms) {
  if (Date.now() + ms >= pollsAt) return;
  clearTimeout(timer);
  timer = setTimeout(poll, ms);
  pollsAt = Date.now() + ms;
}

/** The newest page, and the pages behind it as far as jobs are new; and, four at a time and in turn, older unfinished jobs. */
async function refresh() {
  const page = await listJobs();
  const now = new Set();
  for (let part = page; ; ) {
    const meetsKnown = !listed.size || part.jobs.some((job) => listed.has(job.id));
    for (const job of part.jobs) {
      jobs.takeListed(job);
      now.add(job.id);
    }
    if (meetsKnown || !part.nextCursor || now.size > 2000) break;
    part = await listJobs({ limit: 200, cursor: part.nextCursor });
  }
  listed = new Set([...listed, ...now]);
  const others = unfinished().filter(({ id }) => !now.has(id) && streams.get(id)?.state !== 'open').map(({ id }) => id);
  others.sort((a, b) => (askedAt.get(a) ?? 0) - (askedAt.get(b) ?? 0));
  // One that cannot be read keeps no other's news back.
  await Promise.allSettled(others.slice(0, 4).map((id) => jobs.ask(id).finally(() => askedAt.set(id, Date.now()))));
  return page;
}

/** What is to be kept fresh: all that counts, and an item of a batch while its page is open. */
function unfinished() {
  const here = followed && jobs.get(followed.id);
  return [...jobs.liveJobs(), ...(here?.parent_id && jobs.isLive(here) ? [here] : [])];
}

function report() {
  const lost = [...streams.values()].some((stream) => stream.state === 'lost');
  tell.connection(serverLost ? 'lost' : lost ? 'polling' : 'live');
}

/** Give the streams to the followed job, then to running ones, then to those next in line. Poll for what is left. */
function assign() {
  for (const id of [...streams.keys()]) if (!wants(id)) close(id);
  if (document.hidden) return;
  const live = unfinished().sort((a, b) => rank(a) - rank(b) || (a.created_at < b.created_at ? -1 : 1));
  const wanted = live.map((job) => job.id);
  if (followed && !followed.over && !wanted.includes(followed.id)) wanted.unshift(followed.id);
  const chosen = wanted.slice(0, MAX_STREAMS);
  for (const id of chosen) {
    if (streams.has(id)) continue;
    if (streams.size >= MAX_STREAMS) close([...streams.keys()].find((other) => !chosen.includes(other)));
    open(id);
  }
  if (wanted.some((id) => streams.get(id)?.state !== 'open')) pollWithin(BUSY_MS);
}

const rank = (job) => (job.id === followed?.id ? 0 : job.status === 'processing' ? 1 : 2);

function wants(id) {
  const job = jobs.get(id);
  return (job && jobs.isLive(job)) || (followed?.id === id && !followed.over);
}

async function open(id) {
  const stream = { state: 'opening' };
  streams.set(id, stream);
  const release = await takeSlot();
  if (streams.get(id) !== stream) return release?.();
  if (!release) return refuse(stream); // other tabs hold all four
  const source = new EventSource(eventsUrl(id, followed?.id === id));
  Object.assign(stream, { source, release });
  source.onopen = () => {
    stream.state = 'open';
    report();
  };
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) {
      if (followed?.id === id) followed.over = true; // 204, all was told; or refused: while the job is live it is asked for again
      refuse(stream);
    } else {
      stream.state = 'lost'; // the browser reconnects by itself; until then polling brings the news
      pollWithin(BUSY_MS / 4);
    }
    report();
  };
  for (const type of EVENTS) source.addEventListener(type, (message) => receive(id, JSON.parse(message.data)));
  return undefined;
}

/** No stream for this job now: polling does it, and the next poll asks for a stream again. */
function refuse(stream) {
  stream.release?.();
  stream.state = 'refused';
}

function receive(id, envelope) {
  jobs.takeEvent(envelope);
  const mine = followed?.id === id ? followed : null;
  mine?.hear(envelope);
  if (!ENDINGS.includes(envelope.type)) return;
  if (mine) mine.over = true;
  close(id); // else the browser would reconnect to a story that is over
}

function close(id) {
  const stream = streams.get(id);
  streams.delete(id);
  stream?.source?.close();
  stream?.release?.();
}

/** A release function, or null when all tabs together hold the four. A lock dies with its tab. */
async function takeSlot() {
  if (!navigator.locks) return () => {};
  for (let n = 0; n < MAX_STREAMS; n += 1) {
    const release = await new Promise((answer) => {
      navigator.locks.request(`safelight-stream-${n}`, { ifAvailable: true }, (lock) => {
        if (lock) return new Promise(answer); // `answer` receives this promise's resolve: calling it releases
        return answer(null);
      });
    });
    if (release) return release;
  }
  return null;
}
