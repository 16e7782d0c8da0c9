import { useState } from "preact/hooks";
import { Avatar } from "../parts/Avatar";
import { Dialog } from "../parts/Dialog";
import { Icon } from "../parts/Icon";
import { bot, modal, submit } from "../store";
import type { Modal, TextInput } from "../types";

const PARAGRAPH = 2;
const LONGEST = 4000;

export function ModalDialog() {
  const opened = modal.value;
  return opened && <Opened key={opened.interaction} modal={opened.modal} />;
}

// Escape leaves it unanswered.
function Opened({ modal: shown }: { modal: Modal }) {
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const inputs = (shown.components ?? []).flatMap((row) => row.components ?? []);

  const close = () => {
    modal.value = null;
  };
  const onSubmit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    try {
      await submit(Object.fromEntries(inputs.map(({ custom_id }) => [custom_id, String(form.get(custom_id) ?? "")])));
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  };
  return (
    <Dialog title={shown.title} icon={<Avatar small id={bot.value.id} name={bot.value.name} />} onClose={close}>
      <form onSubmit={onSubmit}>
        <div class="modal-fields">
          {inputs.map((input) => (
            <Field key={input.custom_id} input={input} />
          ))}
          <p class="caution">
            <Icon name="warning" size={16} /> This form will be submitted to {bot.value.name}. Do not share passwords or
            other sensitive information.
          </p>
          {problem && (
            <p class="failed" role="alert">
              {problem}
            </p>
          )}
        </div>
        <footer>
          <button type="button" class="button plain" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="button primary" aria-busy={busy}>
            Submit
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

function Field({ input }: { input: TextInput }) {
  const required = input.required ?? true;
  const shared = {
    id: input.custom_id,
    name: input.custom_id,
    required,
    minLength: input.min_length,
    maxLength: input.max_length ?? LONGEST,
    placeholder: input.placeholder,
    defaultValue: input.value ?? "",
  };
  return (
    <div class="modal-field">
      <label for={input.custom_id}>
        {input.label}
        {required && (
          <span class="required" aria-hidden="true">
            {" "}
            *
          </span>
        )}
      </label>
      {input.style === PARAGRAPH ? <textarea rows={5} {...shared} /> : <input type="text" {...shared} />}
    </div>
  );
}
