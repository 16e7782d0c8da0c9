import { useEffect, useState } from "preact/hooks";
import { Icon } from "../parts/Icon";
import { side } from "../store";
import { Faults } from "./Faults";
import { follow, live } from "./journal";
import { Limits } from "./Limits";
import { Traffic } from "./Traffic";

const TABS = { traffic: "Traffic", limits: "Limits", faults: "Faults" } as const;
type Tab = keyof typeof TABS;
const NAMES = Object.keys(TABS) as Tab[];

export function Inspector() {
  const [tab, setTab] = useState<Tab>("traffic");
  useEffect(follow, []);
  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    const next = NAMES[(NAMES.indexOf(tab) + by + NAMES.length) % NAMES.length] as Tab;
    setTab(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <aside class="inspector" aria-label="Inspector">
      <header>
        <h2>Inspector</h2>
        <span class={live.value ? "dot good" : "dot"} title={live.value ? "live" : "not connected"} />
        <div role="tablist" aria-label="Inspector" onKeyDown={onKeyDown}>
          {NAMES.map((name) => (
            <button
              key={name}
              id={`tab-${name}`}
              type="button"
              role="tab"
              aria-selected={tab === name}
              aria-controls="inspector-panel"
              tabIndex={tab === name ? 0 : -1}
              onClick={() => setTab(name)}
            >
              {TABS[name]}
            </button>
          ))}
        </div>
        <span class="space" />
        <button
          type="button"
          class="icon-button"
          aria-label="Close the inspector"
          onClick={() => {
            side.value = null;
          }}
        >
          <Icon name="close" />
        </button>
      </header>
      <div id="inspector-panel" role="tabpanel" aria-labelledby={`tab-${tab}`}>
        {tab === "traffic" && <Traffic />}
        {tab === "limits" && <Limits />}
        {tab === "faults" && <Faults />}
      </div>
    </aside>
  );
}
