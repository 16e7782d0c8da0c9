// Gives every task to an xAI model that may run shell commands in /work. The container is its only fence.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { secret, serve } from './server.mjs';

const API_KEY = await secret('XAI_API_KEY');
const URL = `${process.env.XAI_BASE_URL || 'https://api.x.ai/v1'}/chat/completions`;
const MODEL = process.env.GROK_MODEL || 'grok-4.5';
const MOST_TURNS = Number(process.env.GROK_MAX_TURNS || 30);
const WORK = process.env.WORK_DIR || '/work';
const OUTPUT = '/tmp/command-output';
const COMMAND_TIMEOUT_S = 120;
const LONGEST_OUTPUT = 20_000;
const TRIES = 4;

const ROLE =
  process.env.GROK_ROLE ||
  'You are an agent in a Linux container. Do the task with the shell, in the current folder, then answer in a few words what you did.';
const SHELL = {
  type: 'function',
  function: {
    name: 'shell',
    description: `Runs a bash command and returns what it prints. It is killed after ${COMMAND_TIMEOUT_S} s.`,
    parameters: { type: 'object', properties: { command: { type: 'string' } }, required: ['command'] },
  },
};

async function work(task) {
  const messages = [{ role: 'system', content: ROLE }, { role: 'user', content: task }];
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const message = await ask(messages);
    messages.push(message);
    if (!message.tool_calls?.length) return message.content ?? '';
    for (const call of message.tool_calls) {
      messages.push({ role: 'tool', tool_call_id: call.id, content: await perform(call.function) });
    }
  }
  throw new Error(`not finished after ${MOST_TURNS} turns`);
}

async function ask(messages) {
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(URL, {
      method: 'POST',
      headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: MODEL, messages, tools: [SHELL] }),
      signal: AbortSignal.timeout(300_000),
    });
    if (response.ok) return (await response.json()).choices[0].message;
    const passing = response.status === 429 || response.status >= 500;
    if (!passing || attempt === TRIES) {
      throw new Error(`xAI answered ${response.status}: ${(await response.text()).slice(0, 500)}`);
    }
    await sleep(2 ** attempt * 1000);
  }
}

async function perform({ name, arguments: json }) {
  let command;
  try {
    ({ command } = JSON.parse(json));
  } catch {
    return 'the arguments are not JSON';
  }
  if (name !== 'shell' || typeof command !== 'string') return 'there is only `shell`, with a `command`';
  console.log(`$ ${command}`);
  return run(command);
}

// The key stays here: a command has no need of it. The output goes to a file and not through a pipe: what a command
// leaves running in the background would hold the pipe open for ever.
async function run(command) {
  const { XAI_API_KEY, ...env } = process.env;
  const output = await open(OUTPUT, 'w+');
  try {
    const stdio = ['ignore', output.fd, output.fd];
    const child = spawn('timeout', ['--signal=KILL', `${COMMAND_TIMEOUT_S}`, 'bash', '-c', command], { cwd: WORK, env, stdio });
    const [code, signal] = await once(child, 'exit');
    return `${cut(await readFile(OUTPUT, 'utf8'))}\n[${signal ? `ended by ${signal}` : `exit code ${code}`}]`;
  } finally {
    await output.close();
  }
}

function cut(text) {
  return text.length > LONGEST_OUTPUT ? `${text.slice(0, LONGEST_OUTPUT)}\n[cut]` : text;
}

serve(work);
