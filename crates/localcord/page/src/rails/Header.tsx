import { Icon, type IconName } from "../parts/Icon";
import { archive, bot, channel, drawer, go, names, type Side, side, thread } from "../store";
import type { Thread } from "../types";

export function Header() {
  const place = channel.value;
  return (
    <header class="top">
      <button
        type="button"
        class="icon-button menu"
        aria-label="Channels"
        aria-expanded={drawer.value}
        onClick={() => {
          drawer.value = !drawer.value;
        }}
      >
        <Icon name="menu" />
      </button>
      {thread.value ? (
        <>
          <button type="button" class="parent" onClick={() => go(thread.value?.parent ?? "")}>
            # {names.channel(thread.value.parent)}
          </button>
          <Icon name="thread" size={22} />
        </>
      ) : (
        <Icon name={place ? "hash" : "at"} size={22} />
      )}
      <h1>{place?.name ?? bot.value.name}</h1>
      {place?.topic && <p class="topic">{place.topic}</p>}
      <span class="space" />
      {thread.value && <Archive place={thread.value} />}
      {place && <Toggle what="members" label="Members" icon="people" />}
      <Toggle what="inspector" label="Inspector" icon="inspector" />
    </header>
  );
}

function Archive({ place }: { place: Thread }) {
  return (
    <button type="button" class="button secondary" onClick={() => archive(place, !place.archived)}>
      {place.archived ? "Unarchive" : "Archive"}
    </button>
  );
}

function Toggle({ what, label, icon }: { what: Side; label: string; icon: IconName }) {
  const open = side.value === what;
  return (
    <button
      type="button"
      class="icon-button"
      title={label}
      aria-label={label}
      aria-pressed={open}
      onClick={() => {
        side.value = open ? null : what;
      }}
    >
      <Icon name={icon} size={22} />
    </button>
  );
}
