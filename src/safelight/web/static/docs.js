/* The API's documentation, drawn from /openapi.json. Nothing is loaded from elsewhere. */

import { $, el, showProblem } from './dom.js';

const TAKES = ['Name', 'Takes', 'Meaning'];
const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

const shapeName = (schema) => schema?.$ref?.split('/').pop();

function named(schema, document) {
  const name = shapeName(schema);
  return name ? document.components.schemas[name] : schema;
}

/** A schema in a few words: "string, at most 200 characters", "list of Job" or "one of image, video". */
function words(schema, document) {
  if (!schema) return '';
  const target = named(schema, document);
  if (shapeName(schema) && target.type === 'object') return shapeName(schema);
  if (target.anyOf) {
    const parts = target.anyOf.filter((part) => part.type !== 'null').map((part) => words(part, document));
    return [...parts, ...(parts.length < target.anyOf.length ? ['null'] : [])].join(' or ');
  }
  const types = [target.type ?? 'any'].flat();
  const plain = target.format ?? types.filter((type) => type !== 'null').join(' or ');
  const parts = [types.includes('array') && target.items ? `list of ${words(target.items, document)}` : plain];
  if (target.enum) parts[0] = `one of ${target.enum.join(', ')}`;
  if (types.includes('null')) parts[0] += ' or null';
  if (target.minimum !== undefined) parts.push(`from ${target.minimum}`);
  if (target.maximum !== undefined) parts.push(`to ${target.maximum}`);
  if (target.maxLength !== undefined) parts.push(`at most ${target.maxLength} characters`);
  if (target.default !== undefined && target.default !== null && target.default !== '') {
    parts.push(`default ${JSON.stringify(target.default)}`);
  }
  return parts.join(', ');
}

/** Text in which what stands between backticks is code. */
function prose(tag, text, className = '') {
  const node = el(tag, className);
  for (const [n, part] of (text ?? '').split('`').entries()) node.append(n % 2 ? el('code', '', part) : part);
  return node;
}

function members(schema, document) {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties).map(([name, each]) => ({
    name, required: required.has(name), takes: words(each, document), meaning: each.description ?? named(each, document)?.description,
  }));
}

/** What a call answers when all is well, and below it the refusals that it can meet. */
function answers(call, document) {
  const all = Object.entries(call.responses ?? {});
  const fine = all.filter(([status]) => /^[23]/.test(status));
  const rows = fine.map(([status, each]) => {
    const kinds = Object.entries(each.content ?? {});
    const told = kinds.map(([kind, { schema }]) => words(schema, document) || kind).join(' or ');
    return { name: status, takes: told || 'nothing', meaning: each.description };
  });
  const refusals = all.filter(([status]) => /^[45]\d/.test(status)).map(([status]) => status);
  const node = el('div');
  node.append(table('Answers', ['Status', 'Body', 'Meaning'], rows));
  if (refusals.length) node.append(el('p', 'answers', `Refusals: ${refusals.join(', ')}`));
  return node;
}

function table(caption, titles, rows) {
  const node = el('table');
  node.append(el('caption', '', caption));
  const head = node.createTHead().insertRow();
  for (const title of titles) {
    const cell = el('th', '', title);
    cell.scope = 'col';
    head.append(cell);
  }
  const body = node.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    const name = el('th');
    name.scope = 'row';
    name.append(el('code', '', row.name), row.required ? el('span', 'required', ' required') : '');
    line.append(name, el('td', '', row.takes), prose('td', row.meaning));
  }
  return node;
}

function section(method, path, call, document) {
  const node = el('section', 'call');
  const title = el('h2');
  title.append(el('span', `method ${method}`, method.toUpperCase()), ' ', el('code', '', path));
  node.append(title, el('p', 'summary', call.summary ?? ''));
  if (call.description) node.append(prose('p', call.description));
  const parameters = (call.parameters ?? []).map((each) => ({
    name: each.name, required: each.required, takes: `${each.in}: ${words(each.schema, document).replace(' or null', '')}`, meaning: each.description,
  }));
  if (parameters.length) node.append(table('Parameters', TAKES, parameters));
  const body = named(call.requestBody?.content?.['application/json']?.schema, document);
  if (body?.properties) {
    node.append(table('JSON body', TAKES, members(body, document)));
  }
  node.append(answers(call, document));
  return node;
}

/** The bodies that calls answer, once each. */
function shape(name, schema, document) {
  const node = el('section', 'call');
  node.append(el('h2', '', name), table('Members', ['Name', 'Is', 'Meaning'], members(schema, document)));
  return node;
}

function asked(document) {
  const text = JSON.stringify(Object.values(document.paths).flatMap(Object.values).map((call) => call.requestBody ?? ''));
  return (name) => text.includes(`/${name}"`);
}

try {
  const answer = await fetch('openapi.json');
  if (!answer.ok) throw new Error(`The description could not be read (${answer.status}).`);
  const document = await answer.json();
  for (const [path, calls] of Object.entries(document.paths)) {
    for (const method of METHODS) {
      if (calls[method]) $('#calls').append(section(method, path, calls[method], document));
    }
  }
  const isAsked = asked(document);
  for (const [name, schema] of Object.entries(document.components.schemas)) {
    if (schema.properties && !isAsked(name)) $('#calls').append(shape(name, schema, document));
  }
} catch (error) {
  showProblem($('#problem'), error);
}
$('#calls').removeAttribute('aria-busy');
