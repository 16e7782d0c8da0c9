// An agent's mailbox: takes tasks over HTTP and hands them to `work`, one at a time. A task is a file, so that it
// outlives the container.
//   POST /tasks       the task as plain text → 202 {"id", "state": "queued"}
//   GET  /tasks/<id>  → {"id", "state": "queued" | "running" | "done" | "failed", "task", "answer"}
//   GET  /healthz     → {"state": "idle" | "working", "waiting": 0}
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { hostname } from 'node:os';

const FOLDER = process.env.TASKS_DIR || '/work/tasks';
const PORT = Number(process.env.PORT || 8080);
const LONGEST_TASK = 100_000;
const MOST_WAITING = 100;

export async function serve(work) {
  const waiting = await recover();
  let busy = false;

  async function drain() {
    if (busy) return;
    busy = true;
    for (let task = waiting.shift(); task; task = waiting.shift()) await perform(task, work);
    busy = false;
  }

  const server = createServer(async (request, response) => {
    const [status, body] = await answer(request, waiting, busy).catch((error) => [500, { error: error.message }]);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body) + '\n');
    drain();
  });
  server.listen(PORT, () => console.log(`${hostname()}: waiting for tasks on port ${PORT}`));
  drain();
}

// A task that was running when the container died may have done half of its work: it is reported, not repeated.
async function recover() {
  for (const folder of [FOLDER, process.env.HOME]) await mkdir(folder, { recursive: true });
  const files = (await readdir(FOLDER)).filter((file) => file.endsWith('.json'));
  const tasks = await Promise.all(files.map(async (file) => JSON.parse(await readFile(`${FOLDER}/${file}`, 'utf8'))));
  for (const task of tasks.filter((task) => task.state === 'running')) {
    await save({ ...task, state: 'failed', answer: 'interrupted by a restart' });
    console.error(`task ${task.id}: failed: interrupted by a restart`);
  }
  return tasks.filter((task) => task.state === 'queued').sort((a, b) => a.at - b.at);
}

async function answer(request, waiting, busy) {
  const { pathname } = new URL(request.url, 'http://agent');
  const id = /^\/tasks\/([0-9a-f-]{36})$/.exec(pathname)?.[1];
  if (request.method === 'GET' && pathname === '/healthz') {
    return [200, { state: busy ? 'working' : 'idle', waiting: waiting.length }];
  }
  if (request.method === 'GET' && id) {
    return readFile(`${FOLDER}/${id}.json`, 'utf8').then((text) => [200, JSON.parse(text)], () => [404, { error: 'no such task' }]);
  }
  if (request.method === 'POST' && pathname === '/tasks') return accept(request, waiting);
  return [404, { error: 'POST /tasks, GET /tasks/<id> or GET /healthz' }];
}

async function accept(request, waiting) {
  if (waiting.length >= MOST_WAITING) return [429, { error: `${MOST_WAITING} tasks are waiting already` }];
  request.setEncoding('utf8');
  let text = '';
  for await (const part of request) {
    text += part;
    if (text.length > LONGEST_TASK) return [413, { error: `a task has at most ${LONGEST_TASK} characters` }];
  }
  if (!text.trim()) return [400, { error: 'the body is the task, as plain text' }];
  const task = { id: randomUUID(), at: Date.now(), state: 'queued', task: text };
  await save(task);
  waiting.push(task);
  return [202, { id: task.id, state: task.state }];
}

async function perform(task, work) {
  const started = Date.now();
  console.log(`task ${task.id}: started`);
  await save({ ...task, state: 'running' });
  try {
    await save({ ...task, state: 'done', answer: await work(task.task) });
    console.log(`task ${task.id}: done after ${Math.round((Date.now() - started) / 1000)} s`);
  } catch (error) {
    await save({ ...task, state: 'failed', answer: error.message });
    console.error(`task ${task.id}: failed: ${error.message}`);
  }
}

// Renamed into place: a reader never sees half a file.
async function save(task) {
  await writeFile(`${FOLDER}/${task.id}.new`, JSON.stringify(task));
  await rename(`${FOLDER}/${task.id}.new`, `${FOLDER}/${task.id}.json`);
}

// Yardarm gives a secret as a file, or as a variable where the template says so.
export async function secret(name) {
  const file = await readFile(`/run/secrets/${name}`, 'utf8').catch(() => '');
  const value = file.trim() || process.env[name];
  if (value) return value;
  console.error(`${name} is missing\nhint: set it with Yardarm, then start this agent again`);
  process.exit(64);
}
