import { Icon } from "../parts/Icon";
import { channelId, go, guild, isMember, me, visible, world } from "../store";

const initials = (name: string) =>
  name
    .split(/[\s-]+/)
    .map((word) => word[0])
    .join("")
    .slice(0, 3)
    .toUpperCase();

export function GuildRail() {
  const who = me.value;
  if (!who) return null;
  const guilds = (world.value?.guilds ?? []).filter((one) => isMember(one, who));
  const direct = channelId.value === who.dm;
  return (
    <nav class="guilds" aria-label="Servers">
      <button
        type="button"
        class="guild"
        aria-label="Direct messages"
        aria-current={direct ? "true" : undefined}
        onClick={() => go(who.dm)}
      >
        <Icon name="at" size={24} />
      </button>
      <hr />
      {guilds.map((one) => {
        const first = visible(one)[0];
        return (
          <button
            key={one.id}
            type="button"
            class="guild"
            title={one.name}
            aria-label={one.name}
            aria-current={guild.value?.id === one.id ? "true" : undefined}
            onClick={() => first && go(first.id)}
          >
            {initials(one.name)}
          </button>
        );
      })}
    </nav>
  );
}
