import { Avatar } from "../parts/Avatar";
import { Listbox } from "../parts/Listbox";
import { become, css, guild, me, people, person, topRole, world } from "../store";
import type { Person } from "../types";

function rank(one: Person): string {
  const place = guild.value ?? world.value?.guilds[0];
  if (place?.owner === one.id) return `owner, ${topRole(one.id, place)?.name ?? "no role"}`;
  const held = place?.members.find((member) => member.id === one.id)?.roles;
  if (!held) return `not in ${place?.name ?? "this server"}`;
  return place?.roles.find((role) => held.includes(role.id))?.name ?? "no role";
}

// Who you are: become somebody else and see what they see.
export function UserPanel() {
  const who = me.value;
  if (!who) return null;
  return (
    <Listbox
      class="user"
      label="You are"
      items={people.value.map((one) => ({
        value: one.name,
        label: one.name,
        note: rank(one),
        colour: css(topRole(one.id)?.color),
        icon: <Avatar small id={one.id} name={one.name} />,
      }))}
      chosen={[person.value]}
      most={1}
      onChoose={([name]) => name && become(name)}
      face={
        <span class="user-face">
          <Avatar id={who.id} name={who.name} />
          <span>
            <b>{who.name}</b>
            <small>{rank(who)}</small>
          </span>
        </span>
      }
    />
  );
}
