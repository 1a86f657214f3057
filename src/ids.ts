/** Where new uids come from; a test may count instead. */
export interface Ids {
  /** A UUIDv7: ordered by time, so that keys and rows sort alike. */
  uid(): string;
}

export const randomIds: Ids = { uid: () => Bun.randomUUIDv7() };
