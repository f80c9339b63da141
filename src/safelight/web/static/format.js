/* Facts in words. Pure functions: a job in, text out. */

export const amount = (n) => n.toLocaleString('en');

const plural = (n, one) => `${amount(n)} ${one}${n === 1 ? '' : 's'}`;

/** The last three digits of the id: random, so they tell frames apart, and they lead back to the full id. */
export const frameNumber = (job) => job.id.slice(-3).toUpperCase();

export function titleOf(job) {
  if (job.prompt) return job.prompt;
  if (job.items) return `Batch of ${job.items.total}`;
  return job.kind === 'upscale' ? 'Picture made larger' : `${job.kind} without a prompt`;
}

/** How a batch's items stand; empty for every other job. */
export const itemsInWords = (job) => Object.entries(job.items?.by_status ?? {}).map(([status, n]) => `${n} ${status}`).join(', ');

export const credits = (n) => plural(n, 'credit');

export const percent = (job) => Math.round((job.progress ?? 0) * 100);

export const sizeOf = (job) => ({
  width: job.assets?.[0]?.width ?? job.params?.width ?? 1,
  height: job.assets?.[0]?.height ?? job.params?.height ?? 1,
});

export function seconds(ms) {
  const s = Math.max(0, ms) / 1000;
  if (s < 10) return `${s.toFixed(s < 1 ? 2 : 1)} s`;
  if (s < 90) return `${Math.round(s)} s`;
  return s < 5400 ? `${Math.round(s / 60)} min` : `${Math.round(s / 3600)} h`;
}

export function bytes(n) {
  return n < 1e6 ? `${Math.max(1, Math.round(n / 1e3))} kB` : `${(n / 1e6).toFixed(1)} MB`;
}

/** Today the time, else the day: the shortest text that places a picture. */
export function shortTime(at) {
  const date = new Date(at);
  return date.toDateString() === new Date().toDateString()
    ? date.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
    : date.toLocaleDateString([], { day: 'numeric', month: 'short' });
}

export const exactTime = (at) => new Date(at).toLocaleString([], { dateStyle: 'medium', timeStyle: 'medium' });

const STAGES = {
  starting: 'Starting',
  provider_queue: 'In the provider’s queue',
  running: 'Developing',
  downloading: 'Fetching the file',
  uploading: 'Storing',
};

/** What the job is doing now, in one or two words. */
export function stateWord(job) {
  if (job.cancel_requested && !job.finished_at) return 'Canceling';
  switch (job.status) {
    case 'pending':
      return job.attempt > 0 ? 'Will try again' : 'Waiting';
    case 'processing':
      return STAGES[job.stage] ?? 'Developing';
    default:
      return job.status[0].toUpperCase() + job.status.slice(1);
  }
}

/** Why a pending job waits, as far as the server says. */
export function waitReason(job) {
  const queue = (job.status === 'pending' && job.queue_info) || {};
  const parts = [];
  if (queue.waiting_for) parts.push(`for ${queue.waiting_for}`);
  else if (queue.position > 1) parts.push(`${queue.position - 1} ahead`);
  const due = queue.due_at ? new Date(queue.due_at) - Date.now() : 0;
  if (due > 0) parts.push(`in ${seconds(due)}`);
  else if (queue.eta_s > 0) parts.push(`about ${seconds(queue.eta_s * 1000)}`);
  return parts.join(', ');
}

const LONG_MS = 5 * 60_000;

const waitedMs = (job) => (job.status === 'pending' ? Date.now() - new Date(job.queue_info?.since ?? job.created_at) : 0);

/** Whether a job that could start has waited for so long that one wonders. */
export const waitsLong = (job) => waitedMs(job) >= LONG_MS;

/** Why it waits, as a sentence. */
export function whyItWaits(job) {
  const why = waitReason(job);
  if (job.queue_info?.waiting_for) return `It waits ${why}.`;
  if (why) return `It stands in line: ${why}.`;
  return job.queue_info?.position === 1 ? 'It is the next in line.' : '';
}

/** What is going on with a job that has waited long, and what will become of it; else nothing. */
export function longWait(job) {
  if (!waitsLong(job)) return '';
  const cure = /^a worker: none/.test(job.queue_info?.waiting_for) ? ' Whoever runs this server can start one: safelight worker.' : '';
  const held = job.credits?.held ? `, and ${credits(job.credits.held)} ${job.credits.held === 1 ? 'comes' : 'come'} back` : '';
  return `This has waited for ${seconds(waitedMs(job))}. ${`${whyItWaits(job)}${cure}`.trim()} It keeps its place; if nobody has made it by ${shortTime(job.deadline_at)}, it ends${held}.`;
}

export function creditsSentence({ held = 0, captured = 0, released = 0 } = {}) {
  const parts = [];
  if (captured) parts.push(`${captured} charged`);
  if (released) parts.push(`${released} returned`);
  if (held) parts.push(`${held} held until it ends`);
  return parts.join(', ') || 'none';
}

export const badgeText = (job) => (job.kind === 'image' ? 'Procedural · not AI' : 'Not AI');

/** A path on this server: the content policy allows no other host, and `localhost` is not `127.0.0.1` to it. */
export function ownPath(url) {
  const { pathname, search } = new URL(url, location.href);
  return pathname + search;
}
