import { Icon } from "../parts/Icon";
import { mayWrite, replyingTo } from "../store";
import type { Message } from "../types";
import { StartThread } from "./ThreadParts";

// What can be done with a message: shown while it is pointed at or holds the focus.
export function Actions({ message }: { message: Message }) {
  if (!mayWrite.value) return null;
  return (
    <div class="actions">
      <button
        type="button"
        class="icon-button"
        aria-label="Reply"
        title="Reply"
        onClick={() => {
          replyingTo.value = message;
        }}
      >
        <Icon name="reply" />
      </button>
      <StartThread message={message} />
    </div>
  );
}
