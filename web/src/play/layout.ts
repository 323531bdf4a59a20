// How large a picture is shown.

export interface Fit {
  width: number; // CSS pixels
  height: number;
  pixelated: boolean; // hard pixels: a small picture, enlarged
}

// A picture whose longer side is at most this many pixels is drawn in pixels;
// blown up softly it would be a blur.
const small = 256;
// Whole multiples of device pixels look best; worth at most this share of the size.
const sacrifice = 0.12;

// fit finds the largest size of a frame of width × height pixels in the room
// that there is, in CSS pixels, on a screen of ratio device pixels per CSS pixel.
export function fit(width: number, height: number, roomWidth: number, roomHeight: number, ratio: number): Fit {
  if (width <= 0 || height <= 0 || roomWidth <= 0 || roomHeight <= 0) return { width: 0, height: 0, pixelated: false };
  const device = ratio > 0 ? ratio : 1;
  let scale = Math.min(roomWidth / width, roomHeight / height) * device; // device pixels per picture pixel
  const pixelated = scale > 1 && Math.max(width, height) <= small;
  if (pixelated) {
    const whole = Math.floor(scale);
    if (whole / scale >= 1 - sacrifice) scale = whole;
  }
  return { width: Math.floor((width * scale) / device), height: Math.floor((height * scale) / device), pixelated };
}
