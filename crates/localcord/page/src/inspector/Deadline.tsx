import { DEADLINE_MS, type Deadline } from "./journal";

const WORDS = { met: "answered", waiting: "waiting", missed: "no answer in time" };

// How much of the three seconds is gone.
export function DeadlineBar({ deadline }: { deadline: Deadline }) {
  const share = Math.min(100, (deadline.ms / DEADLINE_MS) * 100);
  const after = deadline.state === "missed" ? `over ${DEADLINE_MS / 1000} s` : `${Math.round(deadline.ms)} ms`;
  return (
    <span class={`deadline ${deadline.state}`} title={`${WORDS[deadline.state]}: ${after} of ${DEADLINE_MS} ms`}>
      <span class="deadline-bar" aria-hidden="true">
        <span style={{ width: `${Math.max(share, 2)}%` }} />
      </span>
      <span>
        {after}
        <span class="unseen"> of 3 s, {WORDS[deadline.state]}</span>
      </span>
    </span>
  );
}
