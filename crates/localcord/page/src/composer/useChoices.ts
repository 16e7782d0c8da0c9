import { useEffect, useState } from "preact/hooks";
import { autocomplete, named } from "../store";
import type { Choice } from "../types";
import { type CommandDraft, type Field, fitting, known, values } from "./draft";

export interface Choices {
  choices: Choice[];
  // What keeps them from being shown.
  note: string;
}

interface Offered extends Choices {
  // The option and the text that they were offered for.
  asked: string;
  typed: string;
}

const NONE: Choices = { choices: [], note: "" };

// The choices for the field that is being filled in: the command's own, names, or what the bot offers as one types.
export function useChoices(draft: CommandDraft, field: Field | undefined): Choices {
  const [offered, setOffered] = useState<Offered>();
  const asked = field?.option.autocomplete ? field.option.name : undefined;
  const typed = field?.picked ? undefined : field?.text;

  // The bot is asked again when something was typed.
  useEffect(() => {
    if (asked === undefined || typed === undefined) return;
    let over = false;
    const told = (answer: Choices) => {
      if (!over) setOffered({ ...answer, asked, typed });
    };
    autocomplete(draft.command, values(draft, asked), asked, typed).then(
      (choices) => told({ choices, note: choices.length === 0 ? "No options match your search." : "" }),
      (error: Error) => told({ choices: [], note: error.message }),
    );
    return () => {
      over = true;
    };
  }, [asked, typed, draft.command.name]);

  if (!field || typed === undefined) return NONE;
  if (!asked) return { choices: fitting(known(field.option, named), field.text), note: "" };
  if (offered?.asked === asked && offered.typed === typed) return offered;
  // Until the bot has answered: of what it offered before, what still fits, so that a quick Enter takes nothing else.
  const choices = offered?.asked === asked ? fitting(offered.choices, typed) : [];
  return { choices, note: choices.length === 0 ? "Loading options…" : "" };
}
