// What blessed-contrib's canvas widgets need of blessed when nothing is drawn on a screen: a base to inherit from.
// The real one reads terminfo, runs programs and listens for signals.
function Node() {}

function Box() {
  this.listeners = {};
}
Box.prototype = Object.create(Node.prototype);
Box.prototype.on = function on(event, listener) {
  this.listeners[event] = listener;
};
Box.prototype.emit = function emit(event) {
  this.listeners[event].call(this);
};

module.exports = { Node, Box };
