/** What can be wrong with a safetensors file, one name a fault. */
export type SafeTensorsErrorCode =
  | "HeaderTooSmall"
  | "HeaderTooLarge"
  | "InvalidHeaderLength"
  | "InvalidHeaderUtf8"
  | "InvalidHeaderStart"
  | "InvalidHeaderJson"
  | "DuplicateKey"
  | "InvalidMetadata"
  | "InvalidTensorInfo"
  | "UnknownDtype"
  | "InvalidOffset"
  | "TensorHole"
  | "TensorOverlap"
  | "ShapeOverflow"
  | "TensorSizeMismatch"
  | "MetadataIncompleteBuffer";

/** A file that is not safetensors as the format defines it. `code` names the fault, the message the place. */
export class SafeTensorsError extends Error {
  override readonly name = "SafeTensorsError";
  /** Which of the format's rules was broken. */
  readonly code: SafeTensorsErrorCode;

  /** Made by this module; public so that `instanceof` and `code` can be relied on. */
  constructor(code: SafeTensorsErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** `name` as a message can hold it: quoted, and cut where a hostile file made it long. */
export function quote(name: string): string {
  return JSON.stringify(name.length <= 80 ? name : `${name.slice(0, 80)}…`);
}
