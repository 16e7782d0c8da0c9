import { useLayoutEffect, useRef } from "preact/hooks";
import { type Command, matching } from "../commands";
import { Avatar } from "../parts/Avatar";
import { Icon } from "../parts/Icon";
import { bot, channel, commands, named, replyingTo, say } from "../store";
import { type Offer, Offers, offerId } from "./Offers";
import { useOffers } from "./useOffers";

const LIST = "plain-offers";
const LONGEST = 2000;

interface Props {
  text: string;
  onText: (text: string) => void;
  onCommand: (command: Command) => void;
}

// `@na` or `#na` at the end of the line.
const NAME = /(?:^|\s)([@#])([\w-]*)$/;

function nameOffers(text: string, onText: (text: string) => void): Offer[] {
  const [, sign, typed = ""] = NAME.exec(text) ?? [];
  if (!sign) return [];
  const found = (sign === "#" ? named(7) : named(9)).filter((one) => one.name.startsWith(typed.toLowerCase()));
  return found.slice(0, 10).map((one) => ({
    key: one.value,
    label: sign + one.name,
    note: one.note,
    colour: one.colour,
    take: () => onText(`${text.slice(0, text.length - typed.length)}${one.name} `),
  }));
}

function commandOffers(text: string, onCommand: (command: Command) => void): Offer[] {
  if (!text.startsWith("/")) return [];
  return matching(commands.value, text.slice(1)).map((command) => ({
    key: command.name,
    label: `/${command.name}`,
    note: command.description,
    icon: <Avatar small id={bot.value.id} name={bot.value.name} />,
    take: () => onCommand(command),
  }));
}

export function PlainLine({ text, onText, onCommand }: Props) {
  const field = useRef<HTMLTextAreaElement>(null);
  const commanding = text.startsWith("/") && !text.includes("\n");
  const offers = commanding ? commandOffers(text, onCommand) : nameOffers(text, onText);
  const list = useOffers(offers, 0);
  const open = offers.length > 0 && !list.hidden;

  useLayoutEffect(() => {
    // On a phone the keyboard would cover half of the channel.
    if (matchMedia("(min-width: 700px)").matches) field.current?.focus();
  }, []);
  const answered = replyingTo.value;
  useLayoutEffect(() => {
    if (answered) field.current?.focus();
  }, [answered]);
  useLayoutEffect(() => {
    const box = field.current;
    if (!box) return;
    box.style.height = "auto";
    box.style.height = `${box.scrollHeight}px`;
  }, [text]);

  const onInput = (typed: string) => {
    const whole = typed.startsWith("/") && typed.endsWith(" ");
    const command = whole && commands.value.find((one) => `/${one.name} ` === typed);
    if (command) onCommand(command);
    else onText(typed);
  };
  const send = async () => {
    if (text.trim() === "") return;
    onText("");
    if (!(await say(text.trim()))) onText(text);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing || list.onKey(event)) return;
    if (event.key === "Escape") replyingTo.value = null;
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    send();
  };
  const place = channel.value ? `#${channel.value.name}` : `@${bot.value.name}`;

  return (
    <>
      {open && (
        <Offers
          id={LIST}
          title={commanding ? bot.value.name : "Names"}
          offers={offers}
          active={list.active}
          onHover={list.setActive}
        />
      )}
      {commanding && offers.length === 0 && (
        <p class="offers nothing">No command of this name is offered to you here.</p>
      )}
      {answered && (
        <div class="replying">
          <span>
            Replying to <b>{answered.author.username}</b>
          </span>
          <button
            type="button"
            class="icon-button"
            aria-label="Do not reply"
            title="Do not reply"
            onClick={() => {
              replyingTo.value = null;
            }}
          >
            <Icon name="close" size={16} />
          </button>
        </div>
      )}
      <div class="entry">
        <button
          type="button"
          class="icon-button"
          aria-label="Commands"
          title="Commands"
          onClick={() => {
            onText("/");
            field.current?.focus();
          }}
        >
          <Icon name="slash" />
        </button>
        <textarea
          ref={field}
          rows={1}
          maxLength={LONGEST}
          value={text}
          placeholder={`Message ${place}`}
          aria-label={`Message ${place}, or / for commands`}
          aria-autocomplete="list"
          aria-haspopup="listbox"
          aria-controls={open ? LIST : undefined}
          aria-activedescendant={open && list.active >= 0 ? offerId(LIST, list.active) : undefined}
          spellcheck={false}
          onInput={(event) => onInput(event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
      </div>
    </>
  );
}
