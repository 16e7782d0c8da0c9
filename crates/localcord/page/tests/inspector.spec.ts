import { type Chat, expect, type Locator, test } from "./showcase";

// A fault for the bot's answers to commands, from the page; the fields by their names.
async function begin(chat: Chat, effect: string, fields: Record<string, string> = {}): Promise<Locator> {
  const inspector = await chat.inspect("Faults");
  await inspector.getByLabel("What goes wrong").selectOption(effect);
  for (const [name, value] of Object.entries({ path: "/interactions/**", ...fields })) {
    const field = inspector.locator(`[name=${name}]`);
    if (await field.evaluate((element) => element.tagName === "SELECT")) await field.selectOption(value);
    else await field.fill(value);
  }
  await inspector.getByRole("button", { name: "Begin" }).click();
  return inspector;
}

const callbacks = (inspector: Locator, outcome: string) =>
  inspector.getByRole("button", { name: new RegExp(`POST .*callback.* ${outcome}`) });

test("a command's dispatch and its answer, with time and verdict", async ({ chat, page }) => {
  const inspector = await chat.inspect("Traffic");
  await chat.command("whisper");
  const dispatch = inspector.getByRole("button", { name: /INTERACTION_CREATE command \/whisper by olga/ });
  await expect(dispatch).toHaveAccessibleName(/\d+ ms of 3 s, answered/);
  const answer = inspector.getByRole("button", { name: /POST .*callback.* 204 valid/ }).last();
  await answer.click();
  await expect(inspector.getByText("Valid by Discord's OpenAPI file")).toBeVisible();
  await expect(inspector.locator("pre").first()).toContainText('"content": "Between us."');
  await inspector.getByRole("searchbox").fill("nothing of this name");
  await expect(inspector.getByText("Nothing yet.")).toBeVisible();
  await page.keyboard.press("Control+A");
  await page.keyboard.press("Delete");
  await expect(dispatch).toBeVisible();
});

test("who does not answer within three seconds is a problem", async ({ chat }) => {
  const inspector = await chat.inspect("Traffic");
  await inspector.getByRole("button", { name: "Problems" }).click();
  await chat.command("sleep");
  await expect(inspector.getByRole("button", { name: /\/sleep by olga.*no answer in time/ })).toBeVisible();
});

test("rate limits, bucket by bucket", async ({ chat }) => {
  const inspector = await chat.inspect("Limits");
  await chat.command("whisper");
  const row = inspector.getByRole("row", { name: /POST \/interactions/ });
  await expect(row.first()).toContainText(/\d+ \/ 50/);
});

test("a fault from the page: an error, named where it hit, until it is released", async ({ chat }) => {
  const inspector = await chat.inspect("Faults");
  await inspector.getByLabel(/^Status/).selectOption("503");
  await inspector.getByLabel("Path").fill("/interactions/**");
  await inspector.getByRole("button", { name: "Begin" }).click();
  await expect(inspector.getByText("answer 503")).toBeVisible();
  await chat.command("whisper");
  await inspector.getByRole("tab", { name: "Traffic" }).click();
  await expect(inspector.getByRole("button", { name: /POST .*callback.* 503/ }).first()).toBeVisible();
  await inspector.getByRole("tab", { name: "Faults" }).click();
  await inspector.getByRole("button", { name: "Release" }).click();
  await expect(inspector.getByText("All REST calls are served as they should be.")).toBeVisible();
});

test("the gateway is dropped and closed from the page, and the bot comes back", async ({ chat }) => {
  const inspector = await chat.inspect("Faults");
  await inspector.getByRole("button", { name: "Drop the connection" }).click();
  await inspector.getByRole("tab", { name: "Traffic" }).click();
  await expect(inspector.getByRole("button", { name: /The gateway connection ended/ })).toBeVisible();
  await expect(inspector.getByRole("button", { name: /RESUMED/ })).toBeVisible();
  await inspector.getByRole("tab", { name: "Faults" }).click();
  await inspector.getByRole("button", { name: "Close with 4000" }).click();
  await inspector.getByRole("tab", { name: "Traffic" }).click();
  await expect(inspector.getByRole("button", { name: /Closed by localcord with 4000/ })).toBeVisible();
  await expect(inspector.getByRole("button", { name: /RESUMED/ })).toHaveCount(2);
});

test("a refused connection: nothing is done, and the bot tells what happened", async ({ chat }) => {
  const inspector = await begin(chat, "refuse", { times: "1" });
  await expect(inspector.getByText("refuse connections", { exact: true })).toBeVisible();
  await chat.command("whisper");
  await expect(inspector.getByText("All REST calls are served as they should be.")).toBeVisible();
  await inspector.getByRole("tab", { name: "Traffic" }).click();
  await expect(callbacks(inspector, "cut")).toHaveCount(1);
  await expect(callbacks(inspector, "204")).toHaveCount(1);
  await expect(chat.message("error sending request")).toBeVisible();
  await expect(chat.log.getByText("Between us.")).toHaveCount(0);
});

test("a lost answer: it was done", async ({ chat }) => {
  const inspector = await begin(chat, "lose_answer", { times: "1" });
  await chat.command("whisper");
  await expect(chat.message("Between us.")).toBeVisible();
  await inspector.getByRole("tab", { name: "Traffic" }).click();
  await expect(callbacks(inspector, "cut")).toHaveCount(1);
});

for (const scope of ["route", "global"]) {
  test(`a 429 of the ${scope}: the bot waits and comes again`, async ({ chat }) => {
    const inspector = await begin(chat, "rate_limit", { scope, retry_after: "0.2", times: "1" });
    await chat.command("whisper");
    await expect(chat.message("Between us.")).toBeVisible();
    await inspector.getByRole("tab", { name: "Traffic" }).click();
    await expect(callbacks(inspector, "204")).toHaveCount(1);
    await callbacks(inspector, "429").click();
    await expect(inspector.getByText(`rate limit (${scope}), retry after 0.2 s`)).toBeVisible();
    await expect(inspector.locator("pre").last()).toContainText(`"global": ${scope === "global"}`);
  });
}

test("a late answer", async ({ chat }) => {
  const inspector = await begin(chat, "slow", { seconds: "0.5", times: "1" });
  await chat.command("whisper");
  await expect(chat.message("Between us.")).toBeVisible();
  await inspector.getByRole("tab", { name: "Traffic" }).click();
  await expect(callbacks(inspector, "204")).toHaveAccessibleName(/ ([5-9]\d\d|\d{4,}) ms 204/);
});

test("a call hangs until it is released", async ({ chat, page }) => {
  const inspector = await begin(chat, "hang", { method: "PATCH", path: "/webhooks/**" });
  await chat.entry.fill("/stop ");
  await page.keyboard.type("smith");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await expect(chat.message("Stopping smith…")).toBeVisible();
  await inspector.getByRole("button", { name: "Release" }).click();
  await expect(chat.message("Stopped smith within 10 s.")).toBeVisible();
});

test("a fault ends with its time, by localcord's clock", async ({ chat }) => {
  const inspector = await begin(chat, "status", { lasting: "50" });
  await expect(inspector.getByText(/any method \/interactions\/\*\* · \d+ s left/)).toBeVisible();
  await inspector.getByRole("button", { name: "+ 1 min" }).click();
  await expect(inspector.getByText("All REST calls are served as they should be.")).toBeVisible();
  await chat.command("whisper");
  await expect(chat.message("Between us.")).toBeVisible();
});

test("the bot is asked to reconnect, and loses its session with and without a way back", async ({ chat }) => {
  const inspector = await chat.inspect("Faults");
  const heard = async (order: string, event: string, count: number) => {
    await inspector.getByRole("button", { name: order, exact: true }).click();
    await inspector.getByRole("tab", { name: "Traffic" }).click();
    await expect(inspector.getByRole("button", { name: new RegExp(`EVENT ${event}`) })).toHaveCount(count);
    await inspector.getByRole("tab", { name: "Faults" }).click();
    await expect(inspector.getByText("1 connected")).toBeVisible();
  };
  await heard("Ask to reconnect", "RESUMED", 1);
  await heard("Invalidate, resumable", "RESUMED", 2);
  await heard("Invalidate", "READY", 2);
});

test("a frozen gateway holds events back", async ({ chat }) => {
  const inspector = await chat.inspect("Faults");
  await inspector.getByRole("button", { name: "Freeze" }).click();
  await expect(inspector.getByText("1 connected, frozen")).toBeVisible();
  await chat.say("Does anybody hear me?");
  await expect(chat.message("Does anybody hear me?")).toBeVisible();
  await inspector.getByRole("tab", { name: "Traffic" }).click();
  const event = inspector.getByRole("button", { name: /MESSAGE_CREATE/ });
  await expect(event).toHaveCount(0);
  await inspector.getByRole("tab", { name: "Faults" }).click();
  await inspector.getByRole("button", { name: "Thaw" }).click();
  await inspector.getByRole("tab", { name: "Traffic" }).click();
  await expect(event).toHaveCount(1);
});

test("a gateway that refuses connections, until it takes them again", async ({ chat, page }) => {
  const inspector = await chat.inspect("Faults");
  await inspector.getByRole("button", { name: "Refuse connections" }).click();
  await inspector.getByRole("button", { name: "Drop the connection" }).click();
  await expect(page.getByText("yardarm is not connected")).toBeAttached();
  await inspector.getByRole("button", { name: "Accept connections" }).click();
  await expect(page.getByText("yardarm is connected")).toBeAttached();
});

test("an event that is sent twice, and a close with a code of one's own", async ({ chat }) => {
  const inspector = await chat.inspect("Faults");
  await inspector.getByLabel("Event").selectOption("MESSAGE_CREATE");
  await inspector.getByRole("button", { name: "Send the next one twice" }).click();
  await expect(inspector.getByText("1 connected, 1 MESSAGE_CREATE to be sent twice")).toBeVisible();
  await chat.say("Again?");
  await inspector.getByRole("tab", { name: "Traffic" }).click();
  await expect(inspector.getByRole("button", { name: /MESSAGE_CREATE/ })).toHaveCount(2);
  await inspector.getByRole("tab", { name: "Faults" }).click();
  await inspector.getByLabel("Close code").fill("4321");
  await inspector.getByRole("button", { name: "Close with 4321" }).click();
  await inspector.getByRole("tab", { name: "Traffic" }).click();
  await expect(inspector.getByRole("button", { name: /Closed by localcord with 4321/ })).toBeVisible();
});
