import { KIB } from "../../units.ts";

/** Of one metadata value. */
export const maxTextCharacters = 1000;
export const maxTextBytes = 4 * KIB;
export const maxValueBytes = 512;
/** Of the values of one directory as handed to exifr. */
export const maxDirectoryBytes = 24 * KIB;
/** Of a file's whole metadata as JSON. */
export const maxMetadataJsonBytes = 16 * KIB;
