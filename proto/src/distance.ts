/**
 * How far two places on Earth are from each other: gates choose perspectives by it, and the keep measures anew. BR §3.2.2.9
 * says "straight line" and names no model of the Earth.
 */

/** Degrees. */
export type Place = { readonly latitude: number; readonly longitude: number };

/** IUGG mean radius. */
const earthRadiusKilometres = 6371.0088;

/** The great-circle distance in kilometres, by the haversine formula; within 0.6 % of any ellipsoid's. */
export function distanceKilometres(a: Place, b: Place): number {
  const [latitudeA, latitudeB] = [radians(a.latitude), radians(b.latitude)];
  const sineLatitude = Math.sin((latitudeB - latitudeA) / 2);
  const sineLongitude = Math.sin(radians(b.longitude - a.longitude) / 2);
  const haversine = sineLatitude ** 2 + Math.cos(latitudeA) * Math.cos(latitudeB) * sineLongitude ** 2;
  // Rounding may put antipodes a little above 1.
  return 2 * earthRadiusKilometres * Math.asin(Math.sqrt(Math.min(1, haversine)));
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}
