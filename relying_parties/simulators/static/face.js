// The camera of a face check: shows the picture, and lets the form go only while there is one.
// The picture stays in this page; what is drawn to look at it is thrown away at once.

const form = document.querySelector("form[data-camera]");
const video = form.querySelector("video");
const said = form.querySelector("[data-said]");

/**
 * Whether the camera gives a picture that is not all dark.
 *
 * @returns {boolean}
 */
function seesSomething() {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 16;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(video, 0, 0, 16, 16);
  const { data } = context.getImageData(0, 0, 16, 16);
  return data.some((value, index) => index % 4 !== 3 && value > 24);
}

/** Stop the camera: its light goes out. */
function letGo() {
  for (const track of video.srcObject?.getTracks() ?? []) track.stop();
  video.srcObject = null;
}

async function begin() {
  if (!navigator.mediaDevices?.getUserMedia) return;
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user" } });
    form.hidden = false;
    await video.play();
    said.textContent = "请正对摄像头。";
  } catch {
    form.hidden = true;
  }
}

form.addEventListener("submit", (event) => {
  if (!seesSomething()) {
    event.preventDefault();
    said.textContent = "没有看到画面，请到光线亮的地方再试。";
    return;
  }
  letGo();
});
addEventListener("pagehide", letGo);
await begin();
