import { Avatar } from "../parts/Avatar";
import { bot, channel, css, guild, names, topRole } from "../store";
import type { Guild, Id } from "../types";

interface Group {
  name: string;
  members: Id[];
}

// By their coloured roles, highest first, then who has none, as far as they see this channel.
function groups(place: Guild): Group[] {
  const seen = channel.value?.seen_by ?? [];
  const here = place.members
    .map((member) => member.id)
    .filter((id) => id !== bot.value.id && seen.includes(names.user(id)));
  const roles = place.roles.filter((role) => role.color !== 0).sort((a, b) => b.position - a.position);
  const ranked = roles.map((role) => ({
    name: role.name,
    members: here.filter((id) => topRole(id, place)?.id === role.id),
  }));
  const rest = here.filter((id) => !topRole(id, place));
  const all = [...ranked, { name: "Online", members: rest }, { name: "Apps", members: [bot.value.id] }];
  return all.filter((group) => group.members.length > 0);
}

export function Members() {
  const place = guild.value;
  return (
    <aside class="members" aria-label="Members">
      {place &&
        groups(place).map((group) => (
          <section key={group.name}>
            <h3>
              {group.name} — {group.members.length}
            </h3>
            <ul>
              {group.members.map((id) => (
                <li key={id} class="member">
                  <Avatar id={id} name={names.user(id)} />
                  <span style={{ color: css(topRole(id, place)?.color) }}>{names.user(id)}</span>
                  {place.owner === id && <small title="Server owner">owner</small>}
                  {id === bot.value.id && <span class="tag">APP</span>}
                </li>
              ))}
            </ul>
          </section>
        ))}
    </aside>
  );
}
