import { Icon, type IconName } from "../parts/Icon";
import { bot, channel, drawer, type Side, side } from "../store";

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
      <Icon name={place ? "hash" : "at"} size={22} />
      <h1>{place?.name ?? bot.value.name}</h1>
      {place?.topic && <p class="topic">{place.topic}</p>}
      <span class="space" />
      {place && <Toggle what="members" label="Members" icon="people" />}
      <Toggle what="inspector" label="Inspector" icon="inspector" />
    </header>
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
