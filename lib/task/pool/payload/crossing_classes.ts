/** The classes whose objects cross by reference: each registers how. */
import "../../../mem/map_crossing.ts";
import "../../../mem/shared.ts";
import "../../../mem/yoke_crossing.ts";
import "../../remote_notify.ts";
import "../remote.ts";
