// localcord's own files, by a path: the page may be open under another name of this machine than the bot was told.
export function own(url: string): string | undefined {
  try {
    const { pathname, search } = new URL(url);
    return pathname.startsWith("/cdn/attachments/") ? pathname + search : undefined;
  } catch {
    return undefined;
  }
}

export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(2)} KB`;
  return `${(bytes / 1024 / 1024).toFixed(2)} MB`;
}
