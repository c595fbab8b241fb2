interface Part<T> {
  items: T[];
  next_cursor?: string | null;
}

/** All items of a list that comes in parts, in order. `most` ends it early. */
export async function all<T>(
  read: (cursor: string | undefined) => Promise<Part<T>>,
  most = Number.POSITIVE_INFINITY,
): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const part = await read(cursor);
    items.push(...part.items);
    cursor = part.next_cursor ?? undefined;
  } while (cursor !== undefined && items.length < most);
  return items;
}
