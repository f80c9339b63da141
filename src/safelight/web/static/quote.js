/* Before a submit: what it would cost, whether that is there, and when it would be done. Asked of the server, which alone
   knows prices; the last answer to the last question counts. */

import { getCredits, quoteJob } from './api.js';
import { $, el, setText, showProblem } from './dom.js';
import { amount, credits, seconds } from './format.js';

const CLOSED_MS = 10_000; // until a server that takes no jobs is asked again
const PAUSE_MS = 300; // after the last change of the form
const GATHER_MS = 1000; // jobs may end one after the other

let balance = null;
let quoted = null;
let asking;
let timer;
let balanceTimer;

/** Ask for the price of this request soon; `brief` stands there until it is known, or when the request has a fault. */
export function quoteSoon(request, brief) {
  clearTimeout(timer);
  asking?.abort();
  if (!quoted) setText($('#price'), brief);
  timer = setTimeout(() => quote(request, brief), PAUSE_MS);
}

/** A job has ended: ask how much is left, once for all that end within a second. */
export function refreshBalanceSoon() {
  clearTimeout(balanceTimer);
  balanceTimer = setTimeout(refreshBalance, GATHER_MS);
}

/** Ask how much is left. Called when credits may have moved. */
export async function refreshBalance() {
  try {
    balance = await getCredits();
  } catch {
    return; // what stands there was true a moment ago; other requests tell of a lost server
  }
  setText($('#balance'), `${amount(balance.available)} left`);
  $('#balance').title = balance.held ? `${credits(balance.held)} more are held by unfinished jobs` : '';
  $('#balance').hidden = false;
  showAffordable();
}

async function quote(request, brief) {
  const mine = new AbortController();
  asking = mine;
  let answer = null;
  let closed = null; // the server takes no jobs now, and says why
  try {
    answer = await quoteJob(request, mine.signal);
  } catch (error) {
    if (error.status === 503) closed = error; // every other fault the submit will say, by its field
  }
  if (mine.signal.aborted) return; // also in the middle of an answer
  quoted = answer;
  showProblem($('#closed'), closed);
  if (closed) timer = setTimeout(() => quote(request, brief), CLOSED_MS);
  setText($('#price'), quoted ? credits(quoted.price_credits) : brief);
  setText($('#predicted'), quoted ? prediction(quoted.predicted) : '');
  $('#foreseen').replaceChildren(...(quoted?.warnings ?? []).map((warning) => el('li', '', warning.message)));
  showAffordable();
}

function prediction({ finish_at: finish, waiting_for: cause }) {
  if (cause) return `Would wait ${/^for /.test(cause) ? '' : 'for '}${cause}`;
  const ms = finish ? new Date(finish) - Date.now() : 0;
  if (!finish) return '';
  return ms < 2000 ? 'Done in a moment' : `Done in about ${seconds(ms)}`;
}

function showAffordable() {
  const missing = quoted && !quoted.affordable;
  $('#too-dear').hidden = !missing;
  if (!missing) return;
  const have = balance ? `; ${amount(balance.available)} are left` : '';
  const short = balance ? ` ${Math.max(1, quoted.price_credits - balance.available)}` : ' AMOUNT';
  const who = balance?.user_id ?? 'USER';
  setText($('#too-dear'), `This costs ${credits(quoted.price_credits)}${have}. Choose less or a cheaper model, or have credits granted: safelight credits grant ${who}${short}`);
}
