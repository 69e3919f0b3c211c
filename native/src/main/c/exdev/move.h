/*
 * What rename(2) does, by copying and removing, for names between which it does not.
 *
 * An observer sees, in this order: a name .ovl-mv-*, which grows, in the directory of the target;
 * the target whole, in one step, and the source whole; the source getting less; the target alone.
 * Whenever it ends before its time there is either the source whole, or the target. It leaves then
 * a .ovl-mv-* or a rest of the source, and has no journal by which this could be finished.
 */
#ifndef OVL_EXDEV_MOVE_H
#define OVL_EXDEV_MOVE_H

/*
 * Moves, when a rename with these arguments has given EXDEV.
 *
 * 0, or a negated errno as rename(2) documents it, and all is as it was then; -EXDEV wherever the
 * move would lose or change something of the source, or cannot be done by copying at all
 * (RENAME_EXCHANGE, RENAME_WHITEOUT). -EBUSY, besides what it means to rename(2), if the target is
 * in place and the source could not be removed, or not all of it.
 */
int move(int from_directory, const char *from, int to_directory, const char *to,
	 unsigned int flags);

#endif
