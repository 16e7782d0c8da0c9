import { useEffect, useState } from "preact/hooks";
import { autocomplete, named } from "../store";
import type { Choice } from "../types";
import { type CommandDraft, type Field, fitting, known, values } from "./draft";

export interface Choices {
  choices: Choice[];
  // What keeps them from being shown.
  note: string;
}

// The choices for the field that is being filled in: the command's own, names, or what the bot offers as one types.
export function useChoices(draft: CommandDraft, field: Field | undefined): Choices {
  const [offered, setOffered] = useState<Choices>({ choices: [], note: "" });
  const asked = field?.option.autocomplete ? field.option.name : undefined;
  const typed = field?.picked ? undefined : field?.text;

  // The bot is asked again when something was typed.
  useEffect(() => {
    if (asked === undefined || typed === undefined) {
      setOffered({ choices: [], note: "" });
      return;
    }
    let over = false;
    const told = (answer: Choices) => {
      if (!over) setOffered(answer);
    };
    autocomplete(draft.command, values(draft, asked), asked, typed).then(
      (choices) => told({ choices, note: choices.length === 0 ? "No options match your search." : "" }),
      (error: Error) => told({ choices: [], note: error.message }),
    );
    return () => {
      over = true;
    };
  }, [asked, typed, draft.command.name]);

  if (!field || field.picked) return { choices: [], note: "" };
  return asked ? offered : { choices: fitting(known(field.option, named), field.text), note: "" };
}
