import { Avatar } from "../parts/Avatar";
import { Icon, type IconName } from "../parts/Icon";
import { bot, channelId, failure, go, guild, me, online, visible, world } from "../store";
import type { Id } from "../types";
import { UserPanel } from "./UserPanel";

export function Channels() {
  const place = guild.value;
  return (
    <nav class="channels" aria-label="Channels">
      <h2>{place?.name ?? "Direct messages"}</h2>
      <ul>
        {place
          ? visible(place).map((one) => <Entry key={one.id} id={one.id} name={one.name} icon="hash" />)
          : me.value && <Entry id={me.value.dm} name={bot.value.name} />}
      </ul>
      <Status />
      <UserPanel />
    </nav>
  );
}

function Entry({ id, name, icon }: { id: Id; name: string; icon?: IconName }) {
  return (
    <li>
      <button
        type="button"
        class="channel"
        aria-current={id === channelId.value ? "page" : undefined}
        onClick={() => go(id)}
      >
        {icon ? <Icon name={icon} /> : <Avatar small id={bot.value.id} name={name} />}
        <span>{name}</span>
      </button>
    </li>
  );
}

function Status() {
  const connected = (world.value?.connected ?? 0) > 0;
  const text = !online.value
    ? "localcord is away"
    : failure.value || `${bot.value.name} is ${connected ? "connected" : "not connected"}`;
  return (
    <p class="status" role="status">
      <span class={connected && online.value ? "dot good" : "dot"} aria-hidden="true" />
      {text}
    </p>
  );
}
