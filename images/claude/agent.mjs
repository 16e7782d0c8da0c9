// Gives every task to a Claude Code session of its own, in /work. What it may do is set by the variables below.
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { secret, serve } from './server.mjs';

const ANTHROPIC_API_KEY = await secret('ANTHROPIC_API_KEY');
const TIMEOUT_S = Number(process.env.TASK_TIMEOUT_S || 3600);

function flags() {
  const wanted = {
    '--model': process.env.CLAUDE_MODEL,
    '--permission-mode': process.env.CLAUDE_PERMISSION_MODE,
    '--allowedTools': process.env.CLAUDE_ALLOWED_TOOLS,
    '--append-system-prompt': process.env.CLAUDE_ROLE,
    '--max-budget-usd': process.env.CLAUDE_MAX_USD_PER_TASK,
  };
  return Object.entries(wanted).filter(([, value]) => value).flat();
}

async function work(task) {
  const child = spawn('claude', ['-p', '--output-format', 'json', ...flags()], {
    cwd: process.env.WORK_DIR || '/work',
    env: { ...process.env, ANTHROPIC_API_KEY },
    timeout: TIMEOUT_S * 1000,
    killSignal: 'SIGKILL',
  });
  // Its start can fail, and it can leave before it has read all; both are told by `close`.
  child.stdin.on('error', () => {});
  child.stdin.end(task);
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
  const [{ code, signal }, output, errors] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  if (signal) throw new Error(`claude was ended by ${signal}; a task may take ${TIMEOUT_S} s`);
  return read(output, code, errors);
}

function read(output, code, errors) {
  let result;
  try {
    result = JSON.parse(output);
  } catch {
    throw new Error(`claude left with code ${code}: ${(errors || output).trim().slice(0, 500)}`);
  }
  console.log(`claude: ${result.num_turns} turns, ${result.total_cost_usd} USD`);
  for (const denial of result.permission_denials ?? []) console.log(`claude: not permitted: ${denial.tool_name}`);
  if (result.is_error) throw new Error(result.result || result.subtype);
  return result.result;
}

serve(work);
