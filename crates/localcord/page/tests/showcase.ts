// A Discord of its own, with the bot of `examples/showcase.rs`, and the page as a person sees it.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { test as base, expect, type Locator, type Page } from "@playwright/test";

export { expect, type Locator };

const BINARY = process.env.SHOWCASE ?? "../../../target/debug/examples/showcase";

// Starts the bot's Discord; the address of its page comes first.
async function start(): Promise<{ url: string; stop: () => void }> {
  const child = spawn(BINARY, { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  for await (const line of lines) {
    return { url: line, stop: () => child.kill("SIGTERM") };
  }
  throw new Error(`\`${BINARY}\` ended at once; hint: cargo build --package localcord --example showcase`);
}

// What somebody does on the page.
export class Chat {
  constructor(readonly page: Page) {}

  get entry(): Locator {
    return this.page.getByRole("textbox", { name: /^Message / });
  }

  get log(): Locator {
    return this.page.getByRole("log", { name: /^Messages|^Direct/ });
  }

  message(text: string | RegExp): Locator {
    // What it answers stands above its body.
    const body = this.page.locator(".body", { hasText: text });
    return this.log.getByRole("article").filter({ has: body }).last();
  }

  async channel(name: string) {
    await this.page.getByRole("button", { name, exact: true }).click();
    await expect(this.page.getByRole("heading", { level: 1 })).toHaveText(name);
  }

  // A command without options.
  async command(name: string) {
    await this.entry.fill(`/${name}`);
    await expect(this.page.getByRole("option", { name: new RegExp(`/${name}`) })).toBeVisible();
    await this.page.keyboard.press("Enter");
    await this.page.keyboard.press("Enter");
  }

  async become(name: string) {
    await this.page.getByRole("button", { name: /^You are/ }).click();
    await this.page.getByRole("option", { name: new RegExp(`^${name}`) }).click();
    await expect(this.page.getByRole("button", { name: /^You are/ })).toHaveAccessibleName(
      new RegExp(`^You are: ${name}`),
    );
  }

  async say(text: string) {
    await this.entry.fill(text);
    await this.page.keyboard.press("Enter");
  }

  async inspect(tab: "Traffic" | "Limits" | "Faults") {
    await this.page.getByRole("button", { name: "Inspector", exact: true }).click();
    await this.page.getByRole("tab", { name: tab }).click();
    return this.page.getByRole("complementary", { name: "Inspector" });
  }
}

// Each test has a Discord of its own: nobody finds what others left.
export const test = base.extend<{ chat: Chat }>({
  chat: async ({ page }, use) => {
    const { url, stop } = await start();
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (line) => line.type() === "error" && problems.push(line.text()));
    await page.goto(url);
    await expect(page.getByText("yardarm is connected")).toBeAttached();
    await use(new Chat(page));
    const record = await page.request.get(new URL("/api/record", url).href);
    stop();
    expect(problems).toEqual([]);
    expect(await record.json()).toEqual({ unknown_routes: [], violations: [] });
  },
});
