/** The masks of inotify(7), to be or-ed. */

/** It was read. */
export const IN_ACCESS = 0x001;
/** It was written, or cut. */
export const IN_MODIFY = 0x002;
/** Its permissions, times, owner or links have changed. */
export const IN_ATTRIB = 0x004;
/** Who had it open to write has closed it. */
export const IN_CLOSE_WRITE = 0x008;
/** Who had it open to read has closed it. */
export const IN_CLOSE_NOWRITE = 0x010;
/** It was opened. */
export const IN_OPEN = 0x020;
/** Moved away from the folder, under the old name; the `cookie` is that of its `IN_MOVED_TO`. */
export const IN_MOVED_FROM = 0x040;
/** Moved into the folder, under the new name. */
export const IN_MOVED_TO = 0x080;
/** Made in the folder. */
export const IN_CREATE = 0x100;
/** Deleted from the folder. */
export const IN_DELETE = 0x200;
/** What is watched was itself deleted. */
export const IN_DELETE_SELF = 0x400;
/** What is watched was itself moved. */
export const IN_MOVE_SELF = 0x800;
/** Closed, either way. */
export const IN_CLOSE: number = IN_CLOSE_WRITE | IN_CLOSE_NOWRITE;
/** Moved, either way. */
export const IN_MOVE: number = IN_MOVED_FROM | IN_MOVED_TO;
/** All of the above. */
export const IN_ALL_EVENTS = 0xfff;

/** Told: its file system was unmounted. */
export const IN_UNMOUNT = 0x2000;
/** Told: more happened than was kept, and the rest is lost; its `watch` is -1. */
export const IN_Q_OVERFLOW = 0x4000;
/** Told: the watch has ended, as it was removed, or what it watched is gone. */
export const IN_IGNORED = 0x8000;
/** Told with others: it happened to a folder. */
export const IN_ISDIR = 0x40000000;

/** Asked: only if it is a folder. */
export const IN_ONLYDIR = 0x01000000;
/** Asked: a link itself, and not where it leads. */
export const IN_DONT_FOLLOW = 0x02000000;
/** Asked: nothing of a file that was deleted and is open still. */
export const IN_EXCL_UNLINK = 0x04000000;
/** Asked: only if it is not watched yet. */
export const IN_MASK_CREATE = 0x10000000;
/** Asked: besides what is watched for already, and not in its place. */
export const IN_MASK_ADD = 0x20000000;
/** Asked: one event, and the watch ends. */
export const IN_ONESHOT = 0x80000000;
