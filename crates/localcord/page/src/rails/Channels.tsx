import type { ComponentChildren } from "preact";
import { Avatar } from "../parts/Avatar";
import { Icon, type IconName } from "../parts/Icon";
import { bot, channelId, failure, go, guild, me, names, online, threadsOf, visible, world } from "../store";
import type { Guild, Id } from "../types";
import { UserPanel } from "./UserPanel";

export function Channels() {
  const place = guild.value;
  return (
    <nav class="channels" aria-label="Channels">
      <h2>{place?.name ?? "Direct messages"}</h2>
      <ul>
        {place
          ? visible(place).map((one) => (
              <Entry key={one.id} id={one.id} name={one.name} icon="hash">
                <Threads place={place} parent={one.id} />
              </Entry>
            ))
          : me.value && <Entry id={me.value.dm} name={bot.value.name} />}
      </ul>
      <Status />
      <UserPanel />
    </nav>
  );
}

function Threads({ place, parent }: { place: Guild; parent: Id }) {
  const all = threadsOf(place, parent);
  if (all.length === 0) return null;
  return (
    <ul class="threads" aria-label={`Threads of ${names.channel(parent)}`}>
      {all.map((one) => (
        <Entry key={one.id} id={one.id} name={one.name} />
      ))}
    </ul>
  );
}

interface EntryProps {
  id: Id;
  name: string;
  icon?: IconName;
  children?: ComponentChildren;
}

function Entry({ id, name, icon, children }: EntryProps) {
  return (
    <li>
      <button
        type="button"
        class="channel"
        aria-current={id === channelId.value ? "page" : undefined}
        onClick={() => go(id)}
      >
        {icon && <Icon name={icon} />}
        {!guild.value && <Avatar small id={bot.value.id} name={name} />}
        <span>{name}</span>
      </button>
      {children}
    </li>
  );
}

function Status() {
  const connected = (world.value?.connected ?? 0) > 0;
  const text = !online.value
    ? "localcord is away; started anew, it prints a new address"
    : failure.value || `${bot.value.name} is ${connected ? "connected" : "not connected"}`;
  return (
    <p class="status" role="status">
      <span class={connected && online.value ? "dot good" : "dot"} aria-hidden="true" />
      {text}
    </p>
  );
}
