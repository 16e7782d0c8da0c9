// What localcord tells the page: Discord's objects as far as they are shown, and its own.

export type Id = string;

export interface Person {
  id: Id;
  name: string;
  bot: boolean;
  dm: Id;
}

export interface Role {
  id: Id;
  name: string;
  color: number;
  position: number;
}

export interface Channel {
  id: Id;
  name: string;
  topic: string | null;
  seen_by: string[];
  written_by: string[];
}

export interface Thread extends Channel {
  parent: Id;
  archived: boolean;
  locked: boolean;
  private: boolean;
  messages: number;
}

export interface Guild {
  id: Id;
  name: string;
  owner: Id;
  roles: Role[];
  members: { id: Id; roles: Id[] }[];
  channels: Channel[];
  threads: Thread[];
}

export interface World {
  people: Person[];
  bot: { id: Id; name: string };
  guilds: Guild[];
  connected: number;
  checked: boolean;
  now: number;
}

export interface User {
  id: Id;
  username: string;
  bot?: boolean;
}

export interface Embed {
  title?: string;
  description?: string;
  url?: string;
  color?: number;
  timestamp?: string;
  author?: { name?: string; url?: string };
  footer?: { text?: string };
  image?: { url: string };
  thumbnail?: { url: string };
  fields?: { name: string; value: string; inline?: boolean }[];
}

export interface Attachment {
  id: Id;
  filename: string;
  size: number;
  url: string;
  content_type?: string;
}

export interface Emoji {
  id?: Id | null;
  name?: string | null;
}

export interface Button {
  type: 2;
  style: number;
  label?: string;
  emoji?: Emoji;
  custom_id: string;
  url?: string;
  disabled?: boolean;
}

export interface SelectOption {
  label: string;
  value: string;
  description?: string;
  emoji?: Emoji;
  default?: boolean;
}

export interface Select {
  type: 3 | 5 | 6 | 7 | 8;
  custom_id: string;
  placeholder?: string;
  options?: SelectOption[];
  default_values?: { id: Id }[];
  min_values?: number;
  max_values?: number;
  disabled?: boolean;
}

export interface TextInput {
  type: 4;
  custom_id: string;
  label: string;
  style: 1 | 2;
  required?: boolean;
  min_length?: number;
  max_length?: number;
  placeholder?: string;
  value?: string;
}

export interface Row<Part> {
  type: number;
  components?: Part[];
}

export interface Modal {
  title: string;
  custom_id: string;
  components?: Row<TextInput>[];
}

export interface Message {
  id: Id;
  channel_id: Id;
  type: number;
  author: User;
  content: string;
  embeds: Embed[];
  components: Row<Button | Select>[];
  attachments: Attachment[];
  timestamp: string;
  edited_timestamp: string | null;
  flags: number;
  mentions: User[];
  mention_roles: Id[];
  mention_everyone: boolean;
  message_reference?: { channel_id?: Id; message_id?: Id };
  // What it replies to; null if that was deleted.
  referenced_message?: Message | null;
  interaction?: { name: string; user?: User };
}

export interface Choice {
  name: string;
  value: string | number;
}

export interface Option {
  type: number;
  name: string;
  description: string;
  required?: boolean;
  autocomplete?: boolean;
  choices?: Choice[];
  options?: Option[];
}

export interface RegisteredCommand {
  type: number;
  name: string;
  description: string;
  options?: Option[];
}

// The bot's answer to what a person did.
export interface Reply {
  interaction: Id;
  answer: "waiting" | "message" | "deferred" | "updated" | "deferred_update" | "choices" | "modal" | "failed";
  text: string;
  modal: Modal | null;
  choices: Choice[] | null;
}

export type File = { name: string; base64: string };
export type OptionValue = string | number | boolean | File;
