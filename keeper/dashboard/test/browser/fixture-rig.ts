// The made-up world as something to test against.
import { Fixture, TOKEN } from "../fixture/server";
import type { Rig } from "./rig";

export class FixtureRig implements Rig {
  private readonly port: number;
  private constructor(private fixture: Fixture) {
    this.port = fixture.port;
  }
  static async start(positions = 32): Promise<FixtureRig> {
    return new FixtureRig(await Fixture.start({ dist: "dist", positions }));
  }
  get now(): Fixture {
    return this.fixture;
  }
  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }
  token(): Promise<string> {
    return Promise.resolve(TOKEN);
  }
  kill(): Promise<void> {
    return this.fixture.kill();
  }
  async restart(): Promise<void> {
    this.fixture = await Fixture.start({ dist: "dist", port: this.port });
  }
  async stall(on: boolean): Promise<void> {
    this.fixture.stalled = on;
  }
  async blind(on: boolean): Promise<void> {
    this.fixture.world.chainStalled = on;
  }
  nudge(): Promise<void> {
    return Promise.resolve();
  }
  async makeDue(): Promise<void> {
    for (const market of this.fixture.world.markets) market.price *= 1.03;
  }
  close(): Promise<void> {
    return this.fixture.kill();
  }
}
