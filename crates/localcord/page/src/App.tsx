import { useEffect } from "preact/hooks";
import { MessageList } from "./chat/MessageList";
import { ModalDialog } from "./chat/ModalDialog";
import { Notices } from "./chat/Notices";
import { Composer } from "./composer/Composer";
import { Inspector } from "./inspector/Inspector";
import { Channels } from "./rails/Channels";
import { GuildRail } from "./rails/GuildRail";
import { Header } from "./rails/Header";
import { Members } from "./rails/Members";
import { bot, channel, channelId, drawer, failure, go, guild, ready, side, visible } from "./store";

export function App() {
  const title = channel.value ? `#${channel.value.name}` : `@${bot.value.name}`;
  useEffect(() => {
    document.title = `${title} · localcord`;
  }, [title]);
  if (!ready.value) return <p class="empty">{failure.value || "Looking for localcord…"}</p>;
  return (
    // Its keys are shortcuts, which no element of its own stands for.
    <div class={drawer.value ? "app drawn" : "app"} data-side={side.value ?? "none"} onKeyDown={onKeyDown}>
      <div class="drawer">
        <GuildRail />
        <Channels />
      </div>
      {drawer.value && (
        <button
          type="button"
          class="curtain"
          aria-label="Close the channels"
          onClick={() => {
            drawer.value = false;
          }}
        />
      )}
      <main>
        <Header />
        <MessageList />
        <Notices />
        <Composer />
      </main>
      {side.value === "members" && guild.value && <Members />}
      {side.value === "inspector" && <Inspector />}
      <ModalDialog />
    </div>
  );
}

// Alt and an arrow go to the next channel, as in Discord.
function onKeyDown(event: KeyboardEvent) {
  if (event.key === "Escape") drawer.value = false;
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!event.altKey || !by || !guild.value) return;
  const all = visible(guild.value);
  const here = all.findIndex((one) => one.id === channelId.value);
  const next = all[(here + by + all.length) % all.length];
  if (!next) return;
  event.preventDefault();
  go(next.id);
}
