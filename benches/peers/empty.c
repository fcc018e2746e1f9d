/* What a call costs by itself. */

void empty(void) {}
