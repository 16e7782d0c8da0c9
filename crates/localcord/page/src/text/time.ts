// Times as Discord writes them.

import type { TimeStyle } from "./markdown";

const STYLES: Record<Exclude<TimeStyle, "R">, Intl.DateTimeFormatOptions> = {
  t: { timeStyle: "short" },
  T: { timeStyle: "medium" },
  d: { dateStyle: "short" },
  D: { dateStyle: "long" },
  f: { dateStyle: "long", timeStyle: "short" },
  F: { dateStyle: "full", timeStyle: "short" },
};

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

export function stamp(at: number, style: TimeStyle, now: number): string {
  if (style !== "R") return new Intl.DateTimeFormat(undefined, STYLES[style]).format(new Date(at * 1000));
  const distance = at - now;
  const [unit, size] = UNITS.find(([, size]) => Math.abs(distance) >= size) ?? ["second", 1];
  return relative.format(Math.trunc(distance / size), unit);
}

export const clockTime = (time: string) =>
  new Intl.DateTimeFormat(undefined, { timeStyle: "short" }).format(new Date(time));

const days = (time: Date) => new Date(time.getFullYear(), time.getMonth(), time.getDate()).getTime() / 86_400_000;

// `Today at 14:02`.
export function dated(time: string, now: number): string {
  const at = new Date(time);
  const ago = Math.round(days(new Date(now)) - days(at));
  if (ago === 0) return `Today at ${clockTime(time)}`;
  if (ago === 1) return `Yesterday at ${clockTime(time)}`;
  return new Intl.DateTimeFormat(undefined, { dateStyle: "short", timeStyle: "short" }).format(at);
}

export const sameDay = (one: string, other: string) => days(new Date(one)) === days(new Date(other));

export const longDate = (time: string) =>
  new Intl.DateTimeFormat(undefined, { dateStyle: "long" }).format(new Date(time));
