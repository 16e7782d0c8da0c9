import { expect, test } from "./showcase";

test("a command is written by keyboard alone, with options that the bot offers", async ({ chat, page }) => {
  await chat.channel("ops");
  await page.keyboard.type("/sto");
  await expect(page.getByRole("option", { name: /\/stop/ })).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("Tab");
  const agent = page.getByRole("combobox", { name: /^agent/ });
  await expect(agent).toBeFocused();
  await page.keyboard.type("s");
  await expect(page.getByRole("option")).toHaveText(["scout (running)", "scribe (running)", "smith (running)"]);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(agent).toHaveValue("smith (running)");
  await page.keyboard.type("rea");
  await page.keyboard.press("Enter");
  await page.keyboard.type("too loud");
  await page.keyboard.press("Enter");
  const answer = chat.message("Stopped smith within 10 s because of too loud.");
  await expect(answer).toContainText("olga used /stop");
  await expect(answer).toContainText("(edited)");
  await expect(chat.entry).toBeFocused();
});

test("what is missing is asked for, and Backspace goes back", async ({ chat, page }) => {
  await chat.entry.fill("/fleet create ");
  const name = page.getByRole("combobox", { name: /^name/ });
  await expect(name).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(name).toHaveAttribute("aria-invalid", "true");
  await page.keyboard.press("Backspace");
  await expect(chat.entry).toHaveValue("/fleet create");
});

test("what is no option is not dropped on the way", async ({ chat, page }) => {
  await chat.entry.fill("/stop ");
  await page.keyboard.type("smith");
  await expect(page.getByRole("option")).toHaveText(["smith (running)"]);
  await page.keyboard.press("Enter");
  await page.keyboard.type("now");
  await page.keyboard.press("Enter");
  await expect(page.getByText("“now” is no option of /stop")).toBeVisible();
  for (const _ of "now") await page.keyboard.press("Backspace");
  await page.keyboard.press("Enter");
  await expect(chat.message("Stopped smith within 10 s.")).toBeVisible();
});

test("choices and names are picked from lists", async ({ chat, page }) => {
  await chat.entry.fill("/pick ");
  await page.keyboard.type("own");
  await page.keyboard.press("Enter");
  await page.keyboard.type("mi");
  await page.keyboard.press("Enter");
  await page.keyboard.type("su");
  await page.keyboard.press("Enter");
  await page.keyboard.type("tr");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await expect(chat.message("@mina is owner (true)")).toBeVisible();
});

test("who types on while the bot answers gets what fits", async ({ chat, page }) => {
  await chat.entry.fill("/stop ");
  await expect(page.getByRole("option")).toHaveCount(3);
  await page.keyboard.type("smith");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await expect(chat.message("Stopped smith within 10 s.")).toBeVisible();
});

test("direct messages with the bot", async ({ chat, page }) => {
  await page.getByRole("button", { name: "Direct messages" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("yardarm");
  await chat.command("report");
  await expect(chat.message("2 agents")).toBeVisible();
  await page.reload();
  await expect(chat.message("2 agents")).toBeVisible();
});

test("a button opens a modal, and what is entered reaches the bot", async ({ chat, page }) => {
  await chat.channel("alerts");
  await chat.command("panel");
  const panel = chat.message("What shall be done?");
  await expect(panel.getByRole("button", { name: "Remove" })).toBeDisabled();
  await panel.getByRole("button", { name: "Explain" }).click();
  const modal = page.getByRole("dialog", { name: "Why?" });
  await modal.getByLabel("Reason").fill("curious");
  await modal.getByLabel("More").fill("and awake");
  await modal.getByRole("button", { name: "Submit" }).click();
  await expect(modal).toBeHidden();
  await expect(chat.message("Because: curious, and awake")).toBeVisible();
  await panel.getByRole("button", { name: "Restart" }).click();
  await expect(chat.message("Done: restarted")).toContainText("(edited)");
});

test("selects are used by keyboard: one choice, several, people", async ({ chat, page }) => {
  await chat.channel("alerts");
  await chat.command("panel");
  await expect(chat.message("What shall be done?")).toBeVisible();
  const last = chat.log.getByRole("article").last();
  await last.getByRole("button", { name: "Choose size" }).press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(last).toContainText("Done: Large");
  await last.getByRole("button", { name: "Choose days" }).press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Escape");
  await expect(last).toContainText("Done: Monday and Friday");
  await last.getByRole("button", { name: "Choose people" }).press("ArrowDown");
  await page.keyboard.type("rav");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Escape");
  await expect(last).toContainText("Done: 1 people");
});

test("what is for one person alone is marked, hidden from others, and can be dismissed", async ({ chat }) => {
  await chat.channel("general");
  await chat.command("whisper");
  const whisper = chat.message("Between us.");
  await expect(whisper).toContainText("Only you can see this");
  await chat.become("ravi");
  await expect(chat.page.getByRole("heading", { level: 1 })).toHaveText("general");
  await expect(chat.log.getByText("Between us.")).toHaveCount(0);
  await chat.become("olga");
  await chat.message("Between us.").getByRole("button", { name: "Dismiss message" }).click();
  await expect(chat.log.getByText("Between us.")).toHaveCount(0);
});

test("everybody sees the channels that their roles allow", async ({ chat, page }) => {
  const secret = page.getByRole("button", { name: "private", exact: true });
  await expect(secret).toBeVisible();
  await chat.become("mina");
  await expect(page.getByRole("button", { name: "ops", exact: true })).toBeVisible();
  await expect(secret).toBeHidden();
});

test("embeds, files and all that text can be", async ({ chat }) => {
  await chat.channel("notices");
  await chat.command("report");
  const report = chat.message("2 agents");
  await expect(report.locator(".embed")).toHaveCSS("border-left-color", "rgb(48, 160, 224)");
  await expect(report.locator("s")).toHaveText("running");
  await expect(report.getByText("line 6")).toBeVisible();
  await report.getByRole("button", { name: "Show all 9 lines" }).click();
  await expect(report.getByText("line 9")).toBeVisible();
  await expect(report.getByRole("link", { name: "scout.log", exact: true })).toHaveAttribute("href", /^\/cdn\//);

  await chat.command("prose");
  const prose = chat.message("Heading");
  await expect(prose.locator("pre")).toHaveText("fn main() {}");
  await expect(prose.getByRole("listitem")).toHaveText(["one", "two"]);
  await expect(prose).toContainText(/Started \d+ seconds? ago|Started now/);
  await expect(prose.locator("blockquote")).toHaveText("quoted");
  await prose.getByRole("button", { name: "Show the spoiler" }).click();
  await expect(prose.getByText("secret")).toBeVisible();
});

test("thinking, and no answer", async ({ chat, page }) => {
  await chat.command("think");
  await expect(chat.message("yardarm is thinking…")).toBeVisible();
  await chat.command("sleep");
  await expect(page.getByRole("alert").filter({ hasText: "/sleep: the application did not respond." })).toBeVisible();
});

test("people write, mention each other, and are told", async ({ chat, page }) => {
  await chat.channel("general");
  await chat.entry.fill("@mi");
  await page.keyboard.press("Enter");
  await page.keyboard.type("look at **this**");
  await page.keyboard.press("Enter");
  const said = chat.message("@mina look at this");
  await expect(said.locator("strong")).toHaveText("this");
  await chat.become("mina");
  await expect(chat.message("@mina look at this")).toHaveClass(/mentioned/);
});

test("a thread is started from a message, stands under its channel, and is archived", async ({ chat, page }) => {
  await chat.channel("alerts");
  await chat.entry.fill("The engine smokes");
  await page.keyboard.press("Enter");
  const alarm = chat.message("The engine smokes");
  await alarm.hover();
  await alarm.getByRole("button", { name: "Create a thread" }).click();
  await page.getByLabel("Name").fill("smoke");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("smoke");
  const threads = page.getByRole("list", { name: "Threads of alerts" });
  await expect(threads.getByRole("button", { name: "smoke" })).toHaveAttribute("aria-current", "page");
  await chat.entry.fill("Put out");
  await page.keyboard.press("Enter");
  await expect(chat.message("Put out")).toBeVisible();
  await page.getByRole("button", { name: "Archive" }).click();
  await expect(page.getByRole("button", { name: "Unarchive" })).toBeVisible();
  await page.getByRole("button", { name: "# alerts" }).click();
  await expect(threads).toBeHidden();
  await chat
    .message("The engine smokes")
    .getByRole("button", { name: /^smoke 1 message, archived/ })
    .click();
  await expect(chat.message("Put out")).toBeVisible();
});

test("of a long channel the newest are shown, and older ones on request", async ({ chat, page }) => {
  await page.evaluate(async () => {
    for (let number = 1; number <= 120; number += 1) {
      const body = JSON.stringify({ as: "ravi", channel: "ops", text: `line ${number} of many` });
      await fetch("/api/say", { method: "POST", headers: { "Content-Type": "application/json" }, body });
    }
  });
  await chat.channel("ops");
  await expect(chat.message("line 120 of many")).toBeInViewport();
  await expect(chat.log.getByText("line 20 of many", { exact: true })).toHaveCount(0);
  await page.getByRole("button", { name: "Show older messages" }).click();
  await expect(chat.log.getByText("line 1 of many", { exact: true })).toBeAttached();
  await expect(chat.log.getByText("Welcome to #ops!")).toBeAttached();
});

test("members by their roles, the highest first, in its colour", async ({ chat }) => {
  const members = chat.page.getByRole("complementary", { name: "Members" });
  await expect(members.getByRole("heading")).toHaveText(["captain — 1", "crew — 1", "Online — 1", "Apps — 1"]);
  await expect(members.getByText("olga")).toHaveCSS("color", "rgb(224, 160, 48)");
  await expect(members.getByText("ravi")).toHaveCSS("color", "rgb(48, 160, 224)");
});

test("people reply, by keyboard, and see what was replied to however old it is", async ({ chat, page }) => {
  await chat.say("An old question");
  const question = chat.message("An old question");
  await question.getByRole("button", { name: "Reply" }).press("Enter");
  await expect(page.getByText("Replying to olga")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByText("Replying to olga")).toBeHidden();
  await page.evaluate(async () => {
    for (let number = 1; number <= 100; number += 1) {
      const body = JSON.stringify({ as: "ravi", text: `line ${number}` });
      await fetch("/api/say", { method: "POST", headers: { "Content-Type": "application/json" }, body });
    }
  });
  await page.getByRole("button", { name: "Show older messages" }).click();
  await chat.become("ravi");
  await page.getByRole("button", { name: "Show older messages" }).click();
  await question.getByRole("button", { name: "Reply" }).press("Enter");
  await page.keyboard.type("A late answer");
  await page.keyboard.press("Enter");
  await chat.become("olga");
  const reply = chat.message("A late answer");
  await expect(reply).toContainText("An old question");
  await expect(reply).toHaveClass(/mentioned/);
});

test("a role is mentioned, and whoever has it is told", async ({ chat, page }) => {
  await chat.say("@crew to the pumps");
  const call = chat.message("@crew to the pumps");
  await expect(call).not.toHaveClass(/mentioned/);
  await chat.become("ravi");
  await expect(call).toHaveClass(/mentioned/);
  await expect(page.getByText("@crew", { exact: true })).toHaveCSS("color", "rgb(48, 160, 224)");
});

test("a file is sent with a command", async ({ chat, page }) => {
  await chat.entry.fill("/load ");
  const chooser = page.waitForEvent("filechooser");
  await expect(page.getByRole("option", { name: "Choose a file…" })).toBeVisible();
  await page.keyboard.press("Enter");
  await (await chooser).setFiles({ name: "chart.txt", mimeType: "text/plain", buffer: Buffer.from("12345") });
  await page.keyboard.press("Enter");
  await expect(chat.message("chart.txt has 5 bytes.")).toBeVisible();
});

test("what was told by a distance in time goes on", async ({ chat }) => {
  await chat.command("prose");
  const prose = chat.message("Heading");
  await expect(prose).toContainText(/Started (\d+ seconds? ago|now)/);
  const inspector = await chat.inspect("Faults");
  await inspector.getByRole("button", { name: "+ 1 h" }).click();
  await expect(prose).toContainText("Started 1 hour ago");
});

test("what was dismissed stays away after a reload", async ({ chat, page }) => {
  await chat.command("whisper");
  await chat.message("Between us.").getByRole("button", { name: "Dismiss message" }).click();
  await chat.say("Gone?");
  await page.reload();
  await expect(chat.message("Gone?")).toBeVisible();
  await expect(chat.log.getByText("Between us.")).toHaveCount(0);
});
