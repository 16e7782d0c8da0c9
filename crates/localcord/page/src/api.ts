// localcord's script interface, as the page uses it.

import type { Id, Message, OptionValue, RegisteredCommand, Reply, World } from "./types";

export interface Viewer {
  as: string;
  channel: Id;
}

async function call<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await fetch(path, {
    method,
    ...(body !== undefined && {
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    }),
  });
  const answer = response.status === 204 ? null : await response.json();
  if (!response.ok) throw new Error(answer?.error ?? `localcord answered ${response.status}`);
  return answer;
}

const get = <Answer>(path: string) => call<Answer>("GET", path);
const post = <Answer>(path: string, body: unknown) => call<Answer>("POST", path, body);
const query = (viewer: Viewer) => new URLSearchParams({ ...viewer }).toString();

export const world = () => get<World>("/api/world");
export const commands = (viewer: Viewer) => get<RegisteredCommand[]>(`/api/commands?${query(viewer)}`);
export const messages = (viewer: Viewer, limit: number) =>
  get<Message[]>(`/api/messages?${query(viewer)}&limit=${limit}`);

export const say = (viewer: Viewer, text: string, replyTo?: Id) =>
  post<{ message: Id }>("/api/say", { ...viewer, text, reply_to: replyTo });

export const startThread = (viewer: Viewer, message: Id, name: string) =>
  post<{ thread: Id }>("/api/threads", { ...viewer, message, name });

export const archiveThread = (viewer: Viewer, thread: Id, archived: boolean) =>
  post<null>(`/api/threads/${thread}`, { ...viewer, archived });

export type Options = Record<string, OptionValue>;

export const slash = (viewer: Viewer, command: string, options: Options) =>
  post<Reply>("/api/slash", { ...viewer, command, options });

export const autocomplete = (viewer: Viewer, command: string, options: Options, focus: string, typed: string) =>
  post<Reply>("/api/autocomplete", { ...viewer, command, options, focus, typed });

export const press = (viewer: Viewer, message: Id, button: string) =>
  post<Reply>("/api/press", { ...viewer, message, button });

export const choose = (viewer: Viewer, message: Id, select: string, values: string[]) =>
  post<Reply>("/api/choose", { ...viewer, message, select, values });

export const submit = (interaction: Id, values: Record<string, string>) =>
  post<Reply>("/api/submit", { interaction, values });

export interface ActiveFault {
  number: number;
  effect: string;
  method: string | null;
  path: string | null;
  times: number | null;
  until: number | null;
}

export interface Trouble {
  faults: ActiveFault[];
  gateway: { connected: number; frozen: boolean; refused: boolean; duplicates: Record<string, number> };
}

export const trouble = () => get<Trouble>("/api/faults");
export const inject = (fault: Record<string, unknown>) => post<{ number: number }>("/api/faults", fault);
export const release = (number: number) => call<unknown>("DELETE", `/api/faults/${number}`);
export const releaseAll = () => call<null>("DELETE", "/api/faults");
export const orderGateway = (order: Record<string, unknown>) => post<null>("/api/gateway", order);
export const advanceClock = (seconds: number) => post<null>("/api/clock", { advance_seconds: seconds });

// Calls back with each frame of a WebSocket, and when it comes or goes; the returned function ends it.
export function listen<Frame>(
  path: () => string,
  onFrame: (frame: Frame) => void,
  onOpen: (open: boolean) => void = () => {},
): () => void {
  let ended = false;
  let socket: WebSocket;
  const open = () => {
    socket = new WebSocket(`ws://${location.host}${path()}`);
    socket.addEventListener("open", () => onOpen(true));
    socket.addEventListener("message", (event) => onFrame(JSON.parse(event.data)));
    socket.addEventListener("close", () => {
      if (ended) return;
      onOpen(false);
      setTimeout(open, 1500);
    });
  };
  open();
  return () => {
    ended = true;
    socket.close();
  };
}
