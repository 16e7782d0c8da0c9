export async function call(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const answer = response.status === 204 ? null : await response.json();
  if (!response.ok) throw new Error(answer?.error ?? `localcord answered ${response.status}`);
  return answer;
}

export const get = (path) => call("GET", path);
export const post = (path, body) => call("POST", path, body);

// Calls back whenever something changed, and when the connection comes or goes.
export function watch(onChange, onConnection) {
  const socket = new WebSocket(`ws://${location.host}/ws`);
  socket.addEventListener("open", () => onConnection(true));
  socket.addEventListener("message", (event) => onChange(JSON.parse(event.data)));
  socket.addEventListener("close", () => {
    onConnection(false);
    setTimeout(() => watch(onChange, onConnection), 1500);
  });
}
