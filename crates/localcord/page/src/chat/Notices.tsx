import { Icon } from "../parts/Icon";
import { notices, unnotify } from "../store";

// What localcord's client, or a bot that did not answer, has to tell; it stays until it is read.
export function Notices() {
  return (
    <div class="notices" role="alert">
      {notices.value.map((notice) => (
        <div key={notice.number} class="notice">
          <Icon name="warning" size={16} />
          <span>{notice.text}</span>
          <button type="button" class="icon-button" aria-label="Dismiss" onClick={() => unnotify(notice.number)}>
            <Icon name="close" size={16} />
          </button>
        </div>
      ))}
    </div>
  );
}
