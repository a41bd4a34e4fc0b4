/** What the camera sees, or a picture holds, as the text of its QR code. Nothing leaves the phone. */

import "./vendor/jsqr/jsQR.js";

const BETWEEN_LOOKS = 200; // milliseconds
const WIDEST_FRAME = 1024;
const WIDEST_PICTURES = [1600, 800];
const LARGEST_FILE = 20_000_000; // bytes

/** Why there is no camera: `reason` is "refused", "missing" or "busy". */
export class NoCamera extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

/** Why a picture could not be read: `reason` is "large", "no_picture" or "no_code". */
export class NoCode extends Error {
  constructor(reason) {
    super(reason);
    this.reason = reason;
  }
}

const REASONS = { NotAllowedError: "refused", SecurityError: "refused", NotReadableError: "busy", AbortError: "busy" };

async function streamOfCamera() {
  if (!navigator.mediaDevices?.getUserMedia) throw new NoCamera("missing");
  try {
    return await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 }, height: { ideal: 720 } },
    });
  } catch (refused) {
    throw new NoCamera(REASONS[refused.name] ?? "missing");
  }
}

function decoded(canvas, picture, width, height, widest, inversionAttempts) {
  const scale = Math.min(1, widest / Math.max(width, height));
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const drawing = canvas.getContext("2d", { willReadFrequently: true });
  drawing.drawImage(picture, 0, 0, canvas.width, canvas.height);
  const { data } = drawing.getImageData(0, 0, canvas.width, canvas.height);
  return self.jsQR(data, canvas.width, canvas.height, { inversionAttempts })?.data || null;
}

/**
 * Show the camera facing away in `video`, and call `found` with the text of each QR code it sees.
 *
 * It ends by itself when `video` leaves the page, and rests while the page is hidden.
 * @param {HTMLVideoElement} video
 * @param {(text: string) => void} found
 * @returns {Promise<{close: () => void, light: ((on: boolean) => Promise<void>) | null}>}
 * @throws {NoCamera}
 */
export async function openCamera(video, found) {
  const stream = await streamOfCamera();
  const [track] = stream.getVideoTracks();
  const canvas = document.createElement("canvas");
  let timer = 0;

  const close = () => {
    clearInterval(timer);
    for (const each of stream.getTracks()) each.stop();
    video.srcObject = null;
  };
  const look = () => {
    if (!video.isConnected) return close();
    if (document.hidden || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
    const text = decoded(canvas, video, video.videoWidth, video.videoHeight, WIDEST_FRAME, "dontInvert");
    if (text) found(text);
  };

  video.srcObject = stream;
  timer = setInterval(look, BETWEEN_LOOKS);
  // Where a browser wants a touch first, the picture stands still until there is one.
  video.play().catch(() => {});
  const light = (on) => track.applyConstraints({ advanced: [{ torch: on }] });
  return { close, light: track.getCapabilities?.().torch ? light : null };
}

/**
 * The text of the QR code in a picture the person chose.
 * @param {File} file
 * @returns {Promise<string>}
 * @throws {NoCode}
 */
export async function textOfPicture(file) {
  if (file.size > LARGEST_FILE) throw new NoCode("large");
  let picture;
  try {
    picture = await createImageBitmap(file);
  } catch {
    throw new NoCode("no_picture");
  }
  const canvas = document.createElement("canvas");
  for (const widest of WIDEST_PICTURES) {
    const text = decoded(canvas, picture, picture.width, picture.height, widest, "attemptBoth");
    if (text) return text;
  }
  throw new NoCode("no_code");
}
